internal import FoundationEssentials
internal import Settings

/// What two balancers say to each other in a take-over: one line each, over the control socket.
///
/// | who | line | descriptors | what follows |
/// |---|---|---|---|
/// | new | `takeover 1` | - | the old one answers, and serves on |
/// | old | `sockets ADMIN ADDRESS…` | one for each address | the new one prepares to serve |
/// | new | `ready` | - | the old one stops accepting and lets go of its processes |
/// | old | `yours` | - | the new one serves |
/// | old | `connections ADDRESS NOTE UNREAD …` | one for each three words | repeated until it ends |
///
/// Clients that connect meanwhile wait in the listening sockets' queues, which belong to both. What
/// comes from the other program may be of another version: a line that is none of these is no
/// message, and a word that is not understood spoils no other.
enum TakeoverMessage: Equatable {
    /// Asks for the listening sockets; the number is the version of this protocol.
    case greeting
    /// - Parameters:
    ///   - admin: where the admin API of the old balancer listens, which it gives up with the rest.
    ///   - listeners: nil: an address that is not understood; its descriptor stands in its position.
    case sockets(admin: ListenerAddress?, listeners: [ListenerAddress?])
    case ready
    case yours
    /// Nil: a connection that is not understood; its descriptor stands in its position.
    case connections([Connection?])

    /// A client connection between two requests, as `MovedConnection` describes it.
    struct Connection: Equatable {
        /// Where it was accepted.
        var listener: ListenerAddress
        /// How far it has come: `MovedConnection.note`.
        var note: String
        /// What was read ahead.
        var unread: [UInt8]
    }

    /// Parses a line; nil: it is none.
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

    /// The message as it is sent.
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

    /// No address of any kind, so that what follows keeps its position.
    private static let unknown = "?"
}

extension TakeoverMessage.Connection {
    /// No bytes, since every word has to have some.
    private static let nothing = "-"

    /// Parses address, note and what was read ahead; nil: they are not these.
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
