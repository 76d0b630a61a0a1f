//! Where the log is kept.

use async_trait::async_trait;

use crate::Sealed;

/// What is done within a transaction: it is handed the entries that came after a place, and returns
/// those to append.
pub type Decide<'a> = &'a mut (dyn FnMut(Vec<Sealed>) -> Vec<Sealed> + Send);

/// A place that keeps a log which several processes append to.
///
/// **For those who implement it.** [`contract`](crate::contract) checks it.
/// - Transactions happen one after the other, whatever process they come from. Between what
///   `decide` is handed and what it returns, nothing comes into the log.
/// - `decide` is handed every entry whose place is above `after`, in the order of their places. It
///   may be called again where a transaction must be tried again; the last call counts.
/// - What it returns is appended whole or not at all, and is durable when `Ok` is returned. Payload
///   and hash are kept as they are.
/// - Entries are never changed and never removed. What is left of an append that a crash tore apart
///   is removed before the log is read again; a store that cannot tell does not remove it.
/// - After an error nobody knows whether it was appended.
///
/// **For those who call it.** Use [`Ledger`](crate::Ledger).
#[async_trait]
pub trait LedgerStore: Send {
    /// Why a transaction failed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Hands `decide` every entry after a place and appends what it returns, in one transaction.
    async fn transact(&mut self, after: u64, decide: Decide<'_>) -> Result<(), Self::Error>;
}

#[async_trait]
impl<S: LedgerStore + ?Sized> LedgerStore for &mut S {
    type Error = S::Error;

    async fn transact(&mut self, after: u64, decide: Decide<'_>) -> Result<(), S::Error> {
        (**self).transact(after, decide).await
    }
}

#[async_trait]
impl<S: LedgerStore + ?Sized> LedgerStore for Box<S> {
    type Error = S::Error;

    async fn transact(&mut self, after: u64, decide: Decide<'_>) -> Result<(), S::Error> {
        (**self).transact(after, decide).await
    }
}
