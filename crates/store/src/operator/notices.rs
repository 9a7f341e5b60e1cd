//! What people were told, told again from the revisions: after a restore, or where the index was lost.

use std::collections::HashMap;

use domain::{Comment, CommentId, CustomerId, Record, RecordId, Revision, Version};
use serde::de::DeserializeOwned;

use super::Operator;
use crate::batch::Batch;
use crate::followers::Followers;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::notices::Notices;
use crate::words::{self, write_all};
use crate::{StoreError, TableKind};

/// A change that people were told of.
enum Told {
    Record(RecordId, Revision<Record>),
    Comment(RecordId, CommentId, Revision<Comment>),
}

impl Told {
    /// Of the item of a revision of such a thing.
    fn read(item: &Item) -> Option<(CustomerId, Self)> {
        let fields = Fields(item);
        let SortKey::Revision(of, _) = fields.sort_key().ok()? else { return None };
        let told = match *of {
            SortKey::Record(id) => Self::Record(id, items::read_revision(item).ok()?),
            SortKey::Comment(record, id) => {
                Self::Comment(record, id, items::read_revision(item).ok()?)
            }
            _ => return None,
        };
        Some((fields.parse(items::PARTITION).ok()?, told))
    }

    /// The revision before this one, which says what is new.
    fn before(&self) -> Option<SortKey> {
        let (of, version) = match self {
            Self::Record(id, it) => (SortKey::Record(*id), it.version),
            Self::Comment(record, id, it) => (SortKey::Comment(*record, *id), it.version),
        };
        let before = Version::try_from(version.get() - 1).ok()?;
        Some(of.revision(before))
    }

    /// Who follows the record.
    fn followers(&self) -> SortKey {
        match self {
            Self::Record(record, _) | Self::Comment(record, ..) => SortKey::Followers(*record),
        }
    }

    /// What else says whom it is told: of a comment, the record.
    fn beside(&self) -> Option<SortKey> {
        match self {
            Self::Record(..) => None,
            Self::Comment(record, ..) => Some(SortKey::Record(*record)),
        }
    }
}

impl Operator {
    /// Tells people again of the changes among these items. Who was told already is not; and what was said is told those who
    /// follow the record now.
    pub(super) async fn tell_again(&self, items: &[Item]) -> Result<(), StoreError> {
        let told: Vec<_> = items.iter().filter_map(Told::read).collect();
        // Of each, three items are read at most.
        for some in told.chunks(Batch::KEYS_MAX / 3) {
            let mut batch = Batch::default();
            let mut asked = Vec::new();
            for (customer, it) in some {
                for key in it.before().into_iter().chain(it.beside()).chain([it.followers()]) {
                    let partition = keys::customer_partition(*customer);
                    if !asked.contains(&(*customer, key.clone())) {
                        batch.add(self.table_name(TableKind::Records), &partition, &key);
                        asked.push((*customer, key));
                    }
                }
            }
            let mut found = HashMap::new();
            if !asked.is_empty() {
                for item in batch.read(&self.database.dynamo).await? {
                    let key = Fields(&item).key()?;
                    found.insert((key.partition, key.sort), item);
                }
            }
            let notices = some.iter().flat_map(|(customer, it)| {
                let notices = it.notices(&Found { items: &found, customer: *customer });
                notices.items(self.tables(), *customer)
            });
            self.tell_what_is_not_told(notices.collect()).await?;
        }
        Ok(())
    }
}

impl Operator {
    /// Writes those notices that are not there: of those that are, some were read.
    async fn tell_what_is_not_told(&self, notices: Vec<Item>) -> Result<(), StoreError> {
        let key = |item: &Item| Fields(item).key();
        for some in notices.chunks(Batch::KEYS_MAX) {
            let keys = some.iter().map(|it| Ok(key(it)?.item()));
            let keys = keys.collect::<Result<Vec<Item>, StoreError>>()?;
            let batch = Batch::of(self.table_name(TableKind::Index), keys, &KEY, true);
            let there = batch.read(&self.database.dynamo).await?;
            let there = there.iter().map(key).collect::<Result<Vec<_>, _>>()?;
            let mut new = Vec::new();
            for item in some {
                if !there.contains(&key(item)?) {
                    new.push(words::put(item.clone()));
                }
            }
            write_all(&self.database, new).await?;
        }
        Ok(())
    }
}

/// What is read of a notice to see that it is there.
const KEY: [&str; 2] = [items::PARTITION, items::SORT];

/// What was read beside changes.
struct Found<'a> {
    items: &'a HashMap<(String, String), Item>,
    customer: CustomerId,
}

impl Found<'_> {
    fn thing<T: DeserializeOwned>(&self, key: Option<SortKey>) -> Option<Revision<T>> {
        let key = (keys::customer_partition(self.customer), key?.to_string());
        items::read_revision(self.items.get(&key)?).ok()
    }

    fn followers(&self, key: &SortKey) -> Followers {
        let key = (keys::customer_partition(self.customer), key.to_string());
        Followers::of(self.items.get(&key))
    }
}

impl Told {
    fn notices(&self, found: &Found<'_>) -> Notices {
        let followers = found.followers(&self.followers());
        match self {
            Self::Record(id, it) => {
                Notices::of_record(*id, found.thing(self.before()).as_ref(), it, &followers)
            }
            Self::Comment(record, id, it) => match found.thing(self.beside()) {
                Some(of) => {
                    let before = found.thing(self.before());
                    Notices::of_comment((*record, &of), *id, before.as_ref(), it, &followers)
                }
                None => Notices::default(),
            },
        }
    }
}
