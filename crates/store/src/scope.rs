//! The tenant, as a type.

use domain::CustomerId;

/// Proof of whose data may be touched. There is no public way to make one:
///
/// ```compile_fail
/// let id = domain::CustomerId::from_bytes([0; 16]);
/// let customer = store::Customer(id);
/// ```
///
/// ```compile_fail
/// let id = domain::CustomerId::from_bytes([0; 16]);
/// let customer = store::Customer::new(id);
/// ```
///
/// Nor can a key of somebody's object be spelled, to sign a link for it:
///
/// ```compile_fail
/// let key: store::ObjectKey = "a/b/c/1".parse().unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Customer(CustomerId);

impl Customer {
    /// Called where a session was verified, where a customer was just created, and where the
    /// bucket says that an object of the customer's has arrived.
    pub(crate) const fn new(id: CustomerId) -> Self {
        Self(id)
    }

    pub const fn id(&self) -> CustomerId {
        self.0
    }
}
