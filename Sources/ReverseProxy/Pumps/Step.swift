/// The next action for an exchange that the current duty cannot perform itself.
///
/// Duties call those below them, and none above: they return what leads back up, and the dispatcher
/// carries it out.
enum Step {
    /// Nothing now: it continues with an event, a deadline or a message.
    case wait
    /// Nothing: it has ended, or its last response is being sent to the client.
    case over
    /// Request a slot from the registry.
    case ask
    /// Make a new connection to its process.
    case reconnect
    /// Read the process's response.
    case passResponse
    /// The same, after the others had their turn.
    case passLater
}
