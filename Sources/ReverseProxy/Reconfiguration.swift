internal import Backends
internal import Reactor

/// What a reload tells every loop.
struct Reconfiguration: Sendable {
    let settings: ProxySettings
    /// The known ones at their indices, new ones behind them.
    let groups: [Group]
    /// For the first loop: by index, nil where nothing is listened on any more.
    let listeners: [ListeningSocket?]
}
