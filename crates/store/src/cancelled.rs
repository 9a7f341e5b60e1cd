//! Why a transaction was not made, as far as it can be told yet.

use aws_sdk_dynamodb::types::CancellationReason;

use crate::feed::KnownEnd;
use crate::transaction::{Refusal, Step};

/// Why a transaction was cancelled.
pub(crate) enum Cancelled {
    /// It met others, or too many: to be tried again, at once where it was in a lane of the feed alone, for there are
    /// others. Only then is it clear which conditions hold.
    Conflict {
        in_a_lane_alone: bool,
    },
    Refused(Refusal),
    /// A lane has gone on: where it ends now.
    Moved(KnownEnd),
    /// Anything else: a mistake of ours.
    Failed,
}

pub(crate) fn judge(steps: &[Step], reasons: &[CancellationReason]) -> Cancelled {
    let (mut in_a_lane, mut elsewhere) = (false, false);
    for (step, reason) in steps.iter().zip(reasons) {
        match (reason.code(), step) {
            (Some("TransactionConflict"), Step::Lane) => in_a_lane = true,
            (
                Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"),
                _,
            ) => elsewhere = true,
            _ => {}
        }
    }
    if in_a_lane || elsewhere {
        return Cancelled::Conflict { in_a_lane_alone: !elsewhere };
    }
    let mut refused = Vec::new();
    for (step, reason) in steps.iter().zip(reasons) {
        match reason.code().unwrap_or("None") {
            "None" => {}
            "ConditionalCheckFailed" => refused.push((*step, reason.item().cloned())),
            _ => return Cancelled::Failed,
        }
    }
    // A repeated request explains all that it repeats; otherwise the first step that failed.
    let request = refused.iter().position(|(step, _)| *step == Step::Request).unwrap_or(0);
    match refused.into_iter().nth(request) {
        // It comes last: nothing else is wrong. A lane that is damaged or gone is looked at.
        Some((Step::Lane, found)) => {
            let end = found.as_ref().and_then(|item| KnownEnd::of(Some(item)).ok());
            Cancelled::Moved(end.unwrap_or_default())
        }
        Some((step, found)) => Cancelled::Refused(Refusal::Condition { step, found }),
        None => Cancelled::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
    }

    const STEPS: [Step; 3] = [Step::Create, Step::Revision, Step::Request];
    const FAILED: &str = "ConditionalCheckFailed";

    #[test]
    fn a_conflict_says_nothing_yet_about_conditions() {
        for codes in [
            [FAILED, "None", "TransactionConflict"],
            ["TransactionConflict", "None", FAILED],
            ["None", "ThrottlingError", "None"],
        ] {
            assert!(
                matches!(judge(&STEPS, &reasons(&codes)), Cancelled::Conflict { .. }),
                "{codes:?}"
            );
        }
    }

    #[test]
    fn a_repeated_request_explains_what_it_repeats() {
        let refused = |codes: &[&str]| match judge(&STEPS, &reasons(codes)) {
            Cancelled::Refused(Refusal::Condition { step, .. }) => Some(step),
            _ => None,
        };
        assert_eq!(refused(&[FAILED, FAILED, FAILED]), Some(Step::Request));
        assert_eq!(refused(&[FAILED, FAILED, "None"]), Some(Step::Create));
        assert_eq!(refused(&["None", "None", "None"]), None);
        assert_eq!(refused(&["ValidationError", "None", FAILED]), None);
    }
}
