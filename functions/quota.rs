//! What a company may keep.

use am_http::{Code, Problem};
use store::tenant::{Session, Standing};
use store::{Store, Usage};

/// Refuses what would be more than the company may keep.
pub async fn admit(
    store: &Store,
    session: &Session,
    standing: &Standing,
    more: Usage,
) -> Result<(), Problem> {
    let (used, quota) = (store.counted_usage(&session.customer, standing).await?, standing.quota);
    let over = [
        ("bytes of appendices", used.bytes, more.bytes, quota.bytes),
        ("versions of appendices", used.versions, more.versions, quota.versions),
        ("records", used.records, more.records, quota.records),
    ];
    for (what, used, more, most) in over {
        if more > 0 && used.saturating_add(more) > most {
            let detail =
                format!("Of {most} {what}, {used} are kept, and this would be {more} more.");
            return Err(Problem::new(Code::QUOTA_EXCEEDED, detail));
        }
    }
    Ok(())
}
