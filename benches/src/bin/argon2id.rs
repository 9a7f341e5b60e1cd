//! What a log-in cannot do without: checking one password, by the crate and the build that functions
//! use. Prints the processor time of each check, in microseconds, a line each.

use std::process::ExitCode;

use passwords::{Password, Passwords};
use runtime::OsEntropy;

const CHECKS: usize = 40;

fn main() -> ExitCode {
    let word = || Password::try_from("two lathes and a mill".to_owned()).ok();
    let peppers = "v1=a pepper of at least thirty-two characters".parse().ok();
    let executor = tokio::runtime::Builder::new_current_thread().build().ok();
    let (Some(peppers), Some(executor)) = (peppers, executor) else { return ExitCode::FAILURE };
    let passwords = Passwords::new(peppers);
    executor.block_on(async {
        let Some(word_now) = word() else { return ExitCode::FAILURE };
        let stored = passwords.hash(word_now, &OsEntropy).await;
        for _ in 0..CHECKS {
            let before = benches::processor_time(std::process::id());
            let Some(word) = word() else { return ExitCode::FAILURE };
            if passwords.verify(word, Some(stored.clone())).await.is_none() {
                return ExitCode::FAILURE;
            }
            let after = benches::processor_time(std::process::id());
            println!("{}", after.saturating_sub(before).as_micros());
        }
        ExitCode::SUCCESS
    })
}
