//! What is personal of somebody at a customer's, as it is stored.

use domain::{FromStored as _, PersonName, SignInName};

use crate::items::{Fields, Item};
use crate::{PersonCard, StoreError};

pub(crate) const NAME: &str = "name";
pub(crate) const SIGN_IN: &str = "sign_in";

pub(crate) fn read_card(item: &Item) -> Result<PersonCard, StoreError> {
    let fields = Fields(item);
    let text = |name| fields.text(name).map(str::to_owned);
    Ok(PersonCard {
        name: PersonName::from_stored(text(NAME)?),
        sign_in: SignInName::from_stored(text(SIGN_IN)?),
    })
}
