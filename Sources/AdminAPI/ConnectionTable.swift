internal import NIOCore
internal import Synchronization

/// The open connections, and which of them is closed when there are too many.
///
/// Any client that can connect can open any number of connections. A new one is always accepted,
/// since it may ask for `/healthz` or have the token; the one that has been silent for longest is
/// closed. Some connections are reserved for clients that have sent the token.
final class ConnectionTable: Sendable {
    private struct Entry {
        var channel: any Channel
        /// It has sent the token, or none is needed.
        var isTrusted = false
        /// It waits for its response, not for the client's bytes.
        var isAsking = false
        /// When that last changed, as a growing number.
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
    ///   - most: the most open connections; `reserve` more if all of them wait for a response.
    ///   - reserve: how many are reserved for clients with the token.
    init(most: Int, reserve: Int) {
        self.most = most
        self.reserve = reserve
    }

    var count: Int { state.withLock { $0.entries.count } }

    /// Adds a new connection; closes another one when there are too many.
    func enter(_ channel: any Channel) {
        let victim: (any Channel)? = state.withLock { state in
            let id = ObjectIdentifier(channel)
            let strangers = state.entries.values.count { !$0.isTrusted }
            let isCrowded = strangers >= most - reserve
            let isFull = state.entries.count >= most
            var victim: (any Channel)?
            // Untrusted clients use more than their share.
            if isCrowded || isFull {
                victim = Self.oldest(in: state) { $0.isTrusted != isCrowded && !$0.isAsking }
            }
            // Too many clients that do not read their responses.
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

    /// A complete request has arrived, with the token or without.
    func trust(_ channel: any Channel, _ isTrusted: Bool) {
        state.withLock { $0.entries[ObjectIdentifier(channel)]?.isTrusted = isTrusted }
    }

    /// A request has arrived completely, or was answered.
    func change(_ channel: any Channel, isAsking: Bool) {
        state.withLock { state in
            state.turn += 1
            state.entries[ObjectIdentifier(channel)]?.since = state.turn
            state.entries[ObjectIdentifier(channel)]?.isAsking = isAsking
        }
    }

    /// It was closed.
    func leave(_ channel: any Channel) {
        state.withLock { $0.entries[ObjectIdentifier(channel)] = nil }
    }

    private static func oldest(
        in state: State, where isCandidate: (Entry) -> Bool
    ) -> (any Channel)? {
        state.entries.values.filter(isCandidate).min { $0.since < $1.since }?.channel
    }
}
