//! So many hashes at the same time as there are processors, in memory that is used again and wiped. Others wait
//! in a line, and when that is full, nobody joins it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::{HASH_BYTES, Password};

/// For each processor, so many wait: for some three seconds.
const WAITING_MAX: usize = 100;

/// One for all functions of a process.
static POOL: LazyLock<Arc<Pool>> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, usize::from);
    Arc::new(Pool::new(processors, processors * WAITING_MAX))
});

/// Too many wait already: it is worth trying again in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at once")]
pub struct Busy;

pub(crate) struct Pool {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    /// The memory of the last hash, for the next one: to take so many new pages from the operating system
    /// costs half as much again as the hash itself. Of hashes at the same time, one leaves its memory here.
    kept: Mutex<Vec<Block>>,
}

/// One that waits; it is none any more when this is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(crate) fn of_this_process() -> Arc<Self> {
        POOL.clone()
    }

    fn new(running: usize, waiting_max: usize) -> Self {
        let (running, waiting) = (Arc::new(Semaphore::new(running)), AtomicUsize::new(0));
        Self { running, waiting, waiting_max, kept: Mutex::default() }
    }

    /// Does some work off the async thread, once it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let permit = match self.running.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
                let _waiting = Waiting(&self.waiting);
                if waiting >= self.waiting_max {
                    return Err(Busy);
                }
                self.running.clone().acquire_owned().await.map_err(|_| Busy)?
            }
        };
        let pool = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&pool);
            drop(permit);
            done
        });
        match done.await {
            Ok(value) => Ok(value),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    pub(crate) fn argon2id(
        &self,
        password: &Password,
        salt: &[u8],
        params: Params,
    ) -> Zeroizing<[u8; HASH_BYTES]> {
        let count = params.block_count();
        let mut blocks = std::mem::take(&mut *self.kept());
        blocks.resize(count.max(blocks.len()), Block::new());
        let mut hash = Zeroizing::new([0; HASH_BYTES]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                password.as_bytes(),
                salt,
                hash.as_mut_slice(),
                &mut blocks[..count],
            )
            .expect("a capped password, a salt and an output of legal lengths");
        // What is in there yields the hash, which nothing is to keep.
        blocks.fill(Block::new());
        *self.kept() = blocks;
        hash
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Block>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn as_many_run_as_may_some_wait_and_no_more() {
        let pool = Arc::new(Pool::new(2, 3));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all = (0..9).map(|n| {
            let (running, most) = (running.clone(), most.clone());
            pool.clone().run(move |_| {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(20));
                running.fetch_sub(1, Ordering::SeqCst);
                n
            })
        });
        let done = join_all(all).await;
        assert_eq!(most.load(Ordering::SeqCst), 2);
        let taken: Vec<i32> = done.iter().flatten().copied().collect();
        assert_eq!((taken, done[5..].to_vec()), (vec![0, 1, 2, 3, 4], vec![Err(Busy); 4]));
        // There is room again; and who goes away leaves the line.
        assert_eq!(pool.clone().run(|_| 7).await, Ok(7));
        let slow = || pool.clone().run(|_| std::thread::sleep(Duration::from_millis(50)));
        let (first, second) = (tokio::spawn(slow()), tokio::spawn(slow()));
        tokio::task::yield_now().await;
        drop(tokio::time::timeout(Duration::from_millis(1), slow()).await);
        assert_eq!(pool.waiting.load(Ordering::SeqCst), 0);
        assert!(first.await.unwrap().is_ok() && second.await.unwrap().is_ok());
    }
}
