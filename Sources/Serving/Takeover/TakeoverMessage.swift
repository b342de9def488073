internal import FoundationEssentials
internal import Settings

/// The messages of a take-over: one line each, over the control socket.
///
/// | who | line | descriptors | what follows |
/// |---|---|---|---|
/// | new | `takeover 1` | - | the old one answers, and continues to serve |
/// | old | `sockets ADMIN ADDRESS…` | one for each address | the new one prepares to serve |
/// | new | `ready` | - | the old one stops accepting and lets go of its processes |
/// | old | `yours` | - | the new one serves |
/// | old | `connections ADDRESS NOTE UNREAD …` | one for each three words | repeated until it ends |
///
/// Clients that connect meanwhile wait in the queues of the listening sockets, which both balancers
/// share.
///
/// The other program may have another version: unknown lines are not messages, and an unknown word
/// does not invalidate the others.
enum TakeoverMessage: Equatable {
    /// Requests the listening sockets; the number is the version of this protocol.
    case greeting
    /// - Parameters:
    ///   - admin: the address of the old balancer's admin API, which it releases with the others.
    ///   - listeners: nil: an unknown address; its descriptor keeps its position.
    case sockets(admin: ListenerAddress?, listeners: [ListenerAddress?])
    case ready
    case yours
    /// Nil: an unknown connection; its descriptor keeps its position.
    case connections([Connection?])

    /// A client connection between two requests, as `MovedConnection` describes it.
    struct Connection: Equatable {
        /// Where it was accepted.
        var listener: ListenerAddress
        /// Its state: `MovedConnection.note`.
        var note: String
        /// The bytes read ahead.
        var unread: [UInt8]
    }

    /// Parses a line; nil: not a message.
    init?(_ line: String) {
        let words = line.split(separator: " ")
        switch (words.first, words.count) {
        case ("takeover", 2) where words[1] == "1": self = .greeting
        case ("ready", 1): self = .ready
        case ("yours", 1): self = .yours
        case ("sockets", 2...):
            self = .sockets(
                admin: .init(word: words[1]), listeners: words[2...].map { .init(word: $0) })
        case ("connections", _):
            let starts = stride(from: 1, to: words.count, by: 3)
            self = .connections(starts.map { Connection(words[$0...].prefix(3)) })
        default: return nil
        }
    }

    /// The message as a line.
    var line: String {
        switch self {
        case .greeting: "takeover 1"
        case .ready: "ready"
        case .yours: "yours"
        case .sockets(let admin, let listeners):
            (["sockets"] + ([admin] + listeners).map { $0?.word ?? Self.unknown }).joined(
                separator: " ")
        case .connections(let connections):
            (["connections"] + connections.flatMap { $0?.words ?? [Self.unknown, "-", "-"] })
                .joined(separator: " ")
        }
    }

    /// Not an address of any kind, so that later words keep their position.
    private static let unknown = "?"
}

extension TakeoverMessage.Connection {
    /// Means no bytes, since every word needs at least one character.
    private static let nothing = "-"

    /// Parses address, note and bytes read ahead; nil: invalid.
    fileprivate init?(_ words: ArraySlice<Substring>) {
        guard words.count == 3, let listener = ListenerAddress(word: words[words.startIndex])
        else { return nil }
        let last = String(words[words.startIndex + 2])
        guard let bytes = last == Self.nothing ? Data() : Data(base64Encoded: last) else {
            return nil
        }
        self.init(
            listener: listener, note: String(words[words.startIndex + 1]), unread: Array(bytes))
    }

    fileprivate var words: [String] {
        [listener.word, note, unread.isEmpty ? Self.nothing : Data(unread).base64EncodedString()]
    }
}
