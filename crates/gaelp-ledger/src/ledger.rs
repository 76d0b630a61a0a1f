//! The book and its store, together.

use crate::{Book, ChainError, LedgerStore, Limits, Reply, Request, Sealed};

/// A ledger: a store, and the book that follows from its log.
///
/// Several processes may each have one over the same store. Each request is one transaction: what
/// others appended is followed, the request is decided on it, and what it adds is appended, so that
/// an answer never rests on an old view.
///
/// **Cost.** Opening reads the whole log. A request costs a few microseconds and what the store
/// takes.
#[derive(Debug)]
pub struct Ledger<S> {
    store: S,
    book: Book,
}

/// What came of a transaction, before the store said that it is durable.
type Drafted = Result<(Book, Reply), ChainError>;

impl<S: LedgerStore> Ledger<S> {
    /// Opens a ledger: reads its log from the beginning and verifies the chain.
    ///
    /// # Errors
    /// [`LedgerError::Chain`] for a log that is damaged, [`LedgerError::Store`] for one that cannot
    /// be read.
    pub async fn open(limits: Limits, mut store: S) -> Result<Self, LedgerError<S::Error>> {
        let mut book = Book::new(limits);
        catch_up(&mut book, &mut store).await?;
        Ok(Self { store, book })
    }

    /// Follows what others appended, and adds nothing.
    ///
    /// # Errors
    /// As [`open`](Self::open); the book is then as it was before.
    pub async fn refresh(&mut self) -> Result<&Book, LedgerError<S::Error>> {
        catch_up(&mut self.book, &mut self.store).await?;
        Ok(&self.book)
    }

    /// Carries out a request in one transaction of the store.
    ///
    /// # Errors
    /// [`LedgerError::Store`]: nobody knows whether the request is in the log. The book stays as it
    /// was, and follows the log with the next request. To repeat the request is safe: a proposal
    /// that is in the log is refused with [`Refusal::Known`](crate::Refusal::Known), a second takeover only fences the
    /// first, and the other requests change nothing twice.
    ///
    /// [`LedgerError::Chain`]: the log is damaged. Nothing was appended, and nothing may be raised.
    pub async fn execute(&mut self, request: Request) -> Result<Reply, LedgerError<S::Error>> {
        let book = &self.book;
        let mut drafted: Option<Drafted> = None;
        let mut decide = |entries: Vec<Sealed>| {
            let (result, appended) = match draft(book, &entries, &request) {
                Ok((after, reply, appended)) => (Ok((after, reply)), appended),
                Err(error) => (Err(error), Vec::new()),
            };
            drafted = Some(result);
            appended
        };
        let stored = self.store.transact(book.seq(), &mut decide).await;
        // A log that cannot be followed is the graver news.
        let (after, reply) = match (drafted, stored) {
            (Some(Err(error)), _) => return Err(error.into()),
            (_, Err(error)) => return Err(LedgerError::Store(error)),
            (None, Ok(())) => return Err(LedgerError::NotDecided),
            (Some(Ok(drafted)), Ok(())) => drafted,
        };
        self.book = after;
        Ok(reply)
    }

    /// The book, as of the last request.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The store.
    pub fn into_store(self) -> S {
        self.store
    }
}

/// The book after a request, the reply, and what is to be appended.
fn draft(
    book: &Book,
    entries: &[Sealed],
    request: &Request,
) -> Result<(Book, Reply, Vec<Sealed>), ChainError> {
    let mut after = book.clone();
    for sealed in entries {
        after.follow_in_place(sealed)?;
    }
    let decided = after.carry_out(request);
    let decided = decided.map_err(|error| {
        let seq = after.seq().saturating_add(1);
        ChainError::Entry { seq, error }
    })?;
    let (entries, reply) = match decided {
        Ok(decided) => decided,
        Err(refusal) => return Ok((after, Reply::Refused(refusal), Vec::new())),
    };
    let mut appended = Vec::with_capacity(entries.len());
    for entry in &entries {
        let sealed = after.seal(entry)?;
        after.moved_to(sealed.seq, sealed.hash);
        appended.push(sealed);
    }
    Ok((after, reply, appended))
}

async fn catch_up<S: LedgerStore>(
    book: &mut Book,
    store: &mut S,
) -> Result<(), LedgerError<S::Error>> {
    let before = &*book;
    let mut followed: Option<Result<Book, ChainError>> = None;
    let mut decide = |entries: Vec<Sealed>| {
        let mut after = before.clone();
        let mut all = entries.iter().map(|sealed| after.follow_in_place(sealed));
        let result = all.find(Result::is_err).unwrap_or(Ok(()));
        followed = Some(result.map(|()| after));
        Vec::new()
    };
    let read = store.transact(before.seq(), &mut decide).await;
    let after = match (followed, read) {
        (Some(Err(error)), _) => return Err(error.into()),
        (_, Err(error)) => return Err(LedgerError::Store(error)),
        (None, Ok(())) => return Err(LedgerError::NotDecided),
        (Some(Ok(after)), Ok(())) => after,
    };
    *book = after;
    Ok(())
}

/// Why a request got no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError<E> {
    /// The store failed: nobody knows whether the request is in the log.
    #[error("the ledger's store failed")]
    Store(#[source] E),
    /// The log cannot be followed: it is damaged, or another's.
    #[error("the ledger's log cannot be followed")]
    Chain(#[from] ChainError),
    /// The store said that all is well and did nothing: it breaks its contract.
    #[error("the ledger's store carried out no transaction")]
    NotDecided,
}
