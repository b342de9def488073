internal import HTTPWire
package import Reactor
package import Settings

/// A client connection that moves from one balancer to the next, before one of its requests.
///
/// The bytes read of an unanswered request move along; what the client sends meanwhile waits in the
/// socket. Connections with TLS or HTTP/2 cannot be moved, since part of their state is in the
/// program.
package struct MovedConnection: Equatable, Sendable {
    /// Receives it at its destination; called on any loop's thread.
    package typealias Taker = @Sendable (MovedConnection) -> Void

    /// The progress of the connection.
    enum Stage: String {
        /// Nothing was read from it, not even a PROXY header.
        case untouched = "u"
        /// It may begin with a request, or with the preface of HTTP/2.
        case fresh = "f"
        /// It has had a request.
        case kept = "k"
    }

    package let socket: StreamSocket
    /// Where it was accepted.
    package let listener: ListenerAddress
    let stage: Stage
    /// TLS ended at the sender of the PROXY header.
    let isSecure: Bool
    /// The bytes read ahead; at most `longestUnread`.
    package let unread: [UInt8]
    /// Fits into one message.
    package static let longestUnread = 40_000
    /// The client's address, from the PROXY header if there was one.
    let address: IPAddress?

    init(
        socket: StreamSocket, listener: ListenerAddress, stage: Stage,
        isSecure: Bool = false,
        unread: [UInt8] = [], address: IPAddress?
    ) {
        self.socket = socket
        self.listener = listener
        self.stage = stage
        self.isSecure = isSecure
        self.unread = unread
        self.address = address
    }

    /// The state that the other balancer needs besides the bytes, as one word.
    package var note: String {
        let words = [stage.rawValue, isSecure ? "s" : "c"]
        guard let address else { return words.joined(separator: ":") }
        let numbers = [address.high, address.low].map { String($0, radix: 16) }
        return (words + numbers).joined(separator: ":")
    }

    /// A connection from another balancer, with its `note`; nil: the note is invalid.
    package init?(
        socket: StreamSocket, listener: ListenerAddress, note: some StringProtocol,
        unread: [UInt8] = []
    ) {
        let words = note.split(separator: ":", omittingEmptySubsequences: false)
        guard words.count == 2 || words.count == 4, let stage = Stage(rawValue: String(words[0])),
            words[1] == "s" || words[1] == "c", unread.count <= Self.longestUnread
        else { return nil }
        var address: IPAddress?
        if words.count == 4 {
            guard let high = UInt64(words[2], radix: 16), let low = UInt64(words[3], radix: 16)
            else { return nil }
            address = IPAddress(high: high, low: low)
        }
        self.init(
            socket: socket, listener: listener, stage: stage, isSecure: words[1] == "s",
            unread: unread, address: address)
    }
}
