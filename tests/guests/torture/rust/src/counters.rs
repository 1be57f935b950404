//! Counters that this guest makes, and what it does with the host's.

use std::cell::Cell;

use crate::bindings::exports::test::torture::counters::{
    Counter, CounterBorrow, Guest, GuestCounter, Owner,
};
use crate::bindings::test::torture::counters as host;
use crate::Torture;

pub struct OwnCounter(Cell<u32>);

impl GuestCounter for OwnCounter {
    fn new(start: u32) -> Self {
        Self(Cell::new(start))
    }

    fn increment(&self, by: u32) -> u32 {
        self.0.set(self.0.get().wrapping_add(by));
        self.0.get()
    }

    fn name(&self) -> String {
        format!("guest {}", self.0.get())
    }

    fn sum(a: CounterBorrow<'_>, b: Counter) -> Counter {
        let a = a.get::<OwnCounter>().0.get();
        let b = b.into_inner::<OwnCounter>().0.get();
        Counter::new(OwnCounter(Cell::new(a.wrapping_add(b))))
    }
}

impl Guest for Torture {
    type Counter = OwnCounter;

    fn wrap(label: String, c: Counter) -> Owner {
        Owner { label, counter: c }
    }

    fn unwrap(o: Owner) -> Counter {
        o.counter
    }

    fn read_all(many: Vec<CounterBorrow<'_>>) -> Vec<u32> {
        many.iter().map(|c| c.get::<OwnCounter>().0.get()).collect()
    }

    fn maybe(c: Option<Counter>) -> Option<Counter> {
        c
    }
}

/// Uses the host's counters in every position, and tells what it saw.
pub fn exercise() -> String {
    let one = host::Counter::new(1);
    let two = host::Counter::new(2);
    let grown = one.increment(10);
    let read = host::read_all(&[&one, &two]);
    let owner = host::wrap("sum", host::Counter::sum(&one, two));
    let label = owner.label.clone();
    let sum = host::maybe(Some(host::unwrap(owner)));
    let names = [Some(&one), sum.as_ref()].map(|c| c.map(host::Counter::name));
    let none = host::maybe(None).is_none();
    format!("{grown} {read:?} {label} {names:?} {none}")
}
