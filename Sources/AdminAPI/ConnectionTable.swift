internal import NIOCore
internal import Synchronization

/// The open connections, and which of them gives way when there are too many.
///
/// Whoever can connect can open any number of connections. The newcomer is taken always, for it may be
/// the one that asks for `/healthz` or has the token; the one that has been silent for longest goes.
/// Those that have shown the token have places that nobody else can take.
final class ConnectionTable: Sendable {
    private struct Entry {
        var channel: any Channel
        /// It has shown the token, or none is asked for.
        var isTrusted = false
        /// What it waits for is its answer, not the client's bytes.
        var isAsking = false
        /// When that changed last, as a number that grows.
        var since: UInt64
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var turn: UInt64 = 0
    }

    private let most: Int
    private let reserve: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - most: open connections; `reserve` more where all of them are being answered.
    ///   - reserve: how many only those with the token can have.
    init(most: Int, reserve: Int) {
        self.most = most
        self.reserve = reserve
    }

    var count: Int { state.withLock { $0.entries.count } }

    /// Takes a new connection; closes another one when there are too many.
    func enter(_ channel: any Channel) {
        let victim: (any Channel)? = state.withLock { state in
            let id = ObjectIdentifier(channel)
            let strangers = state.entries.values.count { !$0.isTrusted }
            let isCrowded = strangers >= most - reserve
            let isFull = state.entries.count >= most
            var victim: (any Channel)?
            // One of those that have more than their share.
            if isCrowded || isFull {
                victim = Self.oldest(in: state) { $0.isTrusted != isCrowded && !$0.isAsking }
            }
            // So many answers at once that their clients do not take.
            if victim == nil, state.entries.count >= most + reserve {
                victim = Self.oldest(in: state) { _ in true }
            }
            if let victim { state.entries[ObjectIdentifier(victim)] = nil }
            state.turn += 1
            state.entries[id] = Entry(channel: channel, since: state.turn)
            return victim
        }
        victim?.close(promise: nil)
    }

    /// A whole request has come, with the token or not.
    func trust(_ channel: any Channel, _ isTrusted: Bool) {
        state.withLock { $0.entries[ObjectIdentifier(channel)]?.isTrusted = isTrusted }
    }

    /// A request has come whole, or has been answered.
    func change(_ channel: any Channel, isAsking: Bool) {
        state.withLock { state in
            state.turn += 1
            state.entries[ObjectIdentifier(channel)]?.since = state.turn
            state.entries[ObjectIdentifier(channel)]?.isAsking = isAsking
        }
    }

    /// It is closed.
    func leave(_ channel: any Channel) {
        state.withLock { $0.entries[ObjectIdentifier(channel)] = nil }
    }

    private static func oldest(
        in state: State, where isCandidate: (Entry) -> Bool
    ) -> (any Channel)? {
        state.entries.values.filter(isCandidate).min { $0.since < $1.since }?.channel
    }
}
