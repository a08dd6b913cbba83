//! The loop's end of a receiver's queue: bounded by messages and bytes, and it never waits.

use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::format::{Encoder, Message};
use super::loss;
use super::shared::{Shared, add, read};

/// How much may wait for a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Messages.
    pub messages: usize,
    /// Bytes of them.
    pub bytes: u64,
}

/// For a receiver that is gone: an eventful hour of links, or four minutes of traffic each second.
pub const BOUNDS: Bounds = Bounds { messages: 4096, bytes: 4 << 20 };

/// What is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// What happened: has all of the queue.
    Event,
    /// Figures: half of it, so that they never push out what happened.
    Traffic,
}

/// The way in.
#[derive(Debug)]
pub struct Queue {
    sender: Sender<Message>,
    shared: Arc<Shared>,
    encoder: Arc<Encoder>,
    bounds: Bounds,
    /// It was full. Messages are taken again when an eighth is free: so the receiver gets runs of messages, with one word of loss between.
    full: bool,
}

impl Queue {
    /// A queue, and the end from which a worker takes.
    pub fn new(bounds: Bounds, shared: Arc<Shared>, encoder: Arc<Encoder>) -> (Self, Receiver<Message>) {
        let (sender, receiver) = channel(bounds.messages);
        (Self { sender, shared, encoder, bounds, full: false }, receiver)
    }

    /// Puts a message at the end, or counts it. True when this is the first that finds no room.
    pub fn push(&mut self, message: Message, urgency: Urgency) -> bool {
        if self.full && self.has_room(7, 8, 2 * message.bytes.len()) {
            self.full = false;
            // Where the loss happened, and not at the end of the queue.
            if let Some((notice, lost)) = loss::message(&self.shared, &self.encoder)
                && !self.put(notice)
            {
                self.shared.give_back(lost);
            }
        }
        let (share, length, at_ns) = (if urgency == Urgency::Event { 2 } else { 1 }, message.bytes.len(), message.at_ns);
        if !self.full && self.has_room(share, 2, length) && self.put(message) {
            return false;
        }
        self.shared.lose(at_ns);
        // Figures that had to go are told as well, without holding up events.
        let first = !self.full && urgency == Urgency::Event;
        self.full |= urgency == Urgency::Event;
        first
    }

    /// Whether that share of the queue is not used up yet.
    fn has_room(&self, share: usize, of: usize, length: usize) -> bool {
        let waiting = self.bounds.messages.saturating_sub(self.sender.capacity());
        let bytes = read(&self.shared.queued_bytes).saturating_add(length as u64);
        waiting < (self.bounds.messages * share / of).max(1) && bytes <= self.bounds.bytes * share as u64 / of as u64
    }

    fn put(&self, message: Message) -> bool {
        let bytes = message.bytes.len() as u64;
        // Counted first: the worker may be done with it before the next line.
        add(&self.shared.queued, 1);
        add(&self.shared.queued_bytes, bytes);
        let taken = self.sender.try_send(message).is_ok();
        if !taken {
            self.shared.taken(bytes);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::about::About;
    use crate::export::spec::{Format, Transport};

    fn queue(messages: usize, bytes: u64) -> (Queue, Receiver<Message>, Arc<Shared>) {
        let shared = Arc::new(Shared::default());
        let transport = Transport::Unix("/nowhere".into());
        let encoder = Arc::new(Encoder::new(Format::Syslog, &transport, About::this("test", 0)));
        let (queue, receiver) = Queue::new(Bounds { messages, bytes }, Arc::clone(&shared), encoder);
        (queue, receiver, shared)
    }

    fn message(at_ns: u64) -> Message {
        Message { at_ns, bytes: vec![b'x'; 10] }
    }

    fn take(receiver: &mut Receiver<Message>, shared: &Shared) -> Option<String> {
        let message = receiver.try_recv().ok()?;
        shared.taken(message.bytes.len() as u64);
        Some(String::from_utf8(message.bytes).expect("text"))
    }

    #[test]
    fn what_has_no_room_is_counted_and_told_where_it_is_missing() {
        let (mut queue, mut receiver, shared) = queue(8, 1 << 20);
        let first_full: Vec<bool> = (0..12).map(|at| queue.push(message(at), Urgency::Event)).collect();
        assert_eq!(first_full.iter().filter(|first| **first).count(), 1, "an alarm once");
        assert_eq!((read(&shared.dropped), read(&shared.queued)), (4, 8));
        assert!(!queue.push(message(20), Urgency::Event), "still full");
        for _ in 0..3 {
            assert_eq!(take(&mut receiver, &shared).as_deref(), Some("xxxxxxxxxx"));
        }
        queue.push(message(30), Urgency::Event);
        let rest: Vec<String> = std::iter::from_fn(|| take(&mut receiver, &shared)).collect();
        assert_eq!(rest.len(), 7, "five old ones, the loss, the new one: {rest:?}");
        assert!(rest[5].contains("messages-dropped") && rest[5].contains("dropped=\"5\""), "{}", rest[5]);
        assert_eq!(rest[6], "xxxxxxxxxx");
        assert_eq!((read(&shared.queued), read(&shared.queued_bytes), read(&shared.dropped)), (0, 0, 5));
    }

    #[test]
    fn traffic_leaves_half_of_the_queue_to_events() {
        let (mut queue, _receiver, shared) = queue(8, 1 << 20);
        for at in 0..20 {
            queue.push(message(at), Urgency::Traffic);
        }
        assert_eq!((read(&shared.queued), read(&shared.dropped)), (4, 16));
        for at in 0..4 {
            assert!(!queue.push(message(at), Urgency::Event));
        }
        assert!(queue.push(message(9), Urgency::Event));
    }

    #[test]
    fn bytes_are_bounded_too() {
        let (mut queue, _receiver, shared) = queue(100, 35);
        for at in 0..10 {
            queue.push(message(at), Urgency::Event);
        }
        assert_eq!((read(&shared.queued), read(&shared.dropped)), (3, 7));
    }
}
