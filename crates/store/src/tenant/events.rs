//! Events: they are told beside what they are about, and listed.

use domain::Timestamp;

use super::{Ask, Login, Reader};
use crate::events::{EVENT, Event, EventPlace};
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::transaction::{Step, Transaction};
use crate::{Customer, Store, StoreError, TableKind};

/// A person may have belonged to more companies than one change tells.
const TOLD_MAX: usize = 20;

/// Events of the customer, the newest first.
pub struct ListEvents {
    /// From 1 to [`crate::PAGE_ITEMS_MAX`].
    pub limit: u16,
    /// Only events before this one.
    pub before: Option<EventPlace>,
}

#[derive(Debug, Default)]
pub struct EventPage {
    pub events: Vec<(Timestamp, Event)>,
    /// Where the next page starts; `None` at the end.
    pub next_before: Option<EventPlace>,
}

impl Ask for ListEvents {
    type Answer = EventPage;

    async fn ask(self, reader: Reader<'_>) -> Result<EventPage, StoreError> {
        let partition = keys::customer_partition(reader.customer.id());
        let database = &reader.store.database;
        let mut query = database
            .dynamo
            .query()
            .table_name(&database.tables.sessions)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_values(":pk", items::text(&partition))
            .expression_attribute_values(":prefix", items::text(keys::EVENT_PREFIX))
            .scan_index_forward(false)
            .limit(i32::from(self.limit));
        if let Some(before) = self.before {
            let start = items::key(&partition, &SortKey::Event(before));
            query = query.set_exclusive_start_key(Some(start));
        }
        let answer = query.send().await.map_err(StoreError::unavailable)?;
        let mut page = EventPage::default();
        let mut last = None;
        for item in answer.items() {
            let fields = Fields(item);
            let SortKey::Event(place) = fields.sort_key()? else { continue };
            // An event of a later release is of a kind that is not known here: it is left out.
            if let Ok(event) = serde_json::from_str(fields.text(EVENT)?) {
                page.events.push((place.at, event));
            }
            last = Some(place);
        }
        page.next_before = last.filter(|_| answer.last_evaluated_key.is_some());
        Ok(page)
    }
}

impl Transaction<'_> {
    /// Tells the customer what is done here.
    pub(crate) fn tell(self, customer: &Customer, event: &Event, at: Timestamp) -> Self {
        let put = self.put_item(TableKind::Sessions, event.item(customer, at));
        self.put(Step::Tell, put)
    }

    /// Tells every customer that a person belongs to, or did.
    pub(crate) fn tell_all(self, login: &Login, event: &Event, at: Timestamp) -> Self {
        login.memberships.iter().take(TOLD_MAX).fold(self, |change, member| {
            let event = Event { by: Some(member.user), ..event.clone() };
            change.tell(&member.customer, &event, at)
        })
    }
}

impl Store {
    /// Tells a customer what has happened. A failure costs nothing but the event.
    pub async fn tell(&self, customer: &Customer, event: &Event, at: Timestamp) {
        let put = self.database.put(&self.database.tables.sessions, event.item(customer, at));
        if let Err(error) = put.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an event was not told");
        }
    }

    /// Tells the customers of whoever has this login; as much is done where nobody has it, so that no time tells.
    pub async fn tell_of(&self, login: Option<&Login>, event: &Event, at: Timestamp) {
        let Some(login) = login else {
            let nobody = Customer::new(domain::CustomerId::from_bytes([0; 16]));
            return self.tell(&nobody, event, at).await;
        };
        let told = login.memberships.iter().take(TOLD_MAX).map(async |member| {
            let event = event.clone().about(member.user);
            self.tell(&member.customer, &event, at).await;
        });
        futures_util::future::join_all(told).await;
    }
}
