//! What is kept, in DynamoDB and S3. Two rooms: [`tenant`] is what a request may do, [`operator`] what
//! someone may do who looks after all of it. Both stand on what is beside them: every kind of item in
//! `kinds`, every key string in `keys`, every attribute name in `items`, and the one way to change
//! anything durable in `transaction`.
//!
//! A request reads and writes nothing of a customer's without a [`Customer`], and only a verified session,
//! a sign-up or an object of the bucket yields one: forgetting the tenant does not compile. A request has
//! a [`Store`], which cannot scan, restore, or write to the ledger but for what is erased:
//!
//! ```compile_fail
//! async fn handle(store: &store::Store) {
//!     let everything = store.table(store::TableKind::Records);
//! }
//! ```
//!
//! An [`operator::Operator`] can, and no [`Store`] leads to one:
//!
//! ```
//! fn look_after(operator: &store::operator::Operator) {
//!     let everything = operator.table(store::TableKind::Records);
//! }
//! ```
//!
//! ```compile_fail
//! fn handle(store: &store::Store) -> store::operator::Operator {
//!     store.into()
//! }
//! ```
//!
//! This crate must never depend on HTTP, on an environment variable or on a clock.

pub mod operator;
pub mod tenant;

mod batch;
mod cancelled;
mod cards;
mod content;
mod demands;
mod error;
mod events;
mod feed;
mod followers;
mod idempotency_key;
mod index;
mod indexed;
mod items;
mod keys;
mod kinds;
mod notices;
mod object_keys;
mod objects;
mod profiles;
mod requests;
mod row;
mod scope;
mod tables;
mod transaction;
mod usage;
mod words;

pub use error::{Missing, StoreError, WriteError};
pub use events::{Event, EventKind, EventPlace};
pub use followers::{Followers, Readers};
pub use idempotency_key::IdempotencyKey;
pub use index::{ChangeTime, List, Standing};
pub use kinds::{Kind, Nature, Restoration, TableKind};
pub use notices::{Change, Notice, NoticePlace, Reason};
pub use object_keys::{Announced, ObjectKey};
pub use objects::{ObjectFacts, Objects};
pub use profiles::{
    CustomerProfile, Invitation, InvitationState, Machine, PersonCard, UserProfile, begun_with,
};
pub use requests::{Earlier, Remember};
pub use row::RowKey;
pub use scope::Customer;
pub use tables::Tables;
pub use tenant::Store;
pub use usage::{Growth, QUOTA, Usage};

pub use aws_sdk_dynamodb::Client as DynamoClient;
pub use aws_sdk_s3::Client as S3Client;

/// Most items a listing returns at once. A page ends at 1 MB of them too, which stays below Lambda's
/// 6 MB even where every character is escaped twice on the way.
pub const PAGE_ITEMS_MAX: u16 = 100;
