/// What is to follow for an exchange, where the duty that has worked on it cannot do it by itself.
///
/// Duties call those below them, and none above: what leads back up they return, and the dispatcher
/// carries it out.
enum Step {
    /// Nothing now: it goes on with an event, a deadline or a message.
    case wait
    /// Nothing: it has ended, or its last answer is on its way to the client.
    case over
    /// The registry is asked for a slot.
    case ask
    /// A fresh connection to its process is made.
    case reconnect
    /// What its process has said is read.
    case passResponse
    /// The same, once the others have had their turn.
    case passLater
}
