internal import Backends
internal import Reactor

/// A reload's message to every loop.
struct Reconfiguration: Sendable {
    let settings: ProxySettings
    /// Known groups at their indices, new ones after them.
    let groups: [Group]
    /// For the first loop: by index, nil for removed listeners.
    let listeners: [ListeningSocket?]
}
