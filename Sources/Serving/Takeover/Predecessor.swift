internal import Backends
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import Reactor
internal import ReverseProxy
internal import Supervision

/// The running balancer that `serve --takeover` takes the place of: the successor's side.
///
/// The two talk in lines over the control socket of the runtime folder:
/// `takeover 1` -> `sockets ADMIN PLACE…` with the listening sockets themselves; `ready` -> (the old one
/// stops accepting and lets go of its processes) -> `yours` -> `connections PLACE NOTE UNREAD …` with kept
/// connections, as often as there are some, until the old one has nothing under way and ends. Clients
/// that connect meanwhile wait in the listening sockets' queues, which belong to both.
struct Predecessor {
    static let greeting = "takeover 1"
    /// The control socket's path.
    static func path(inRuntimeFolder folder: String) -> String { "\(folder)/control.sock" }

    private let control: ControlSocket
    /// Where its admin API is, which gives up that address with the rest.
    let admin: ListenerSettings.Place?
    /// What it listens on.
    let listeners: [ListenerSettings.Place: ListeningSocket]

    /// Asks the balancer of a runtime folder for its sockets; it goes on serving.
    ///
    /// - Throws: `ServingError`: unreachable when none runs there.
    init(runtimeFolder: String) throws {
        let path = Self.path(inRuntimeFolder: runtimeFolder)
        // What listens there is handed sessions and obeyed, so it must be a program of this user.
        if unsafe access(runtimeFolder, F_OK) == 0 {
            do {
                try Supervisor.check(runtimeDirectory: runtimeFolder)
            } catch {
                throw ServingError.failed("\(error); nothing is taken over")
            }
        }
        do {
            control = try ControlSocket(connectingTo: path)
        } catch {
            throw ServingError.unreachable(
                "no balancer to take over from at \(path) (\(SystemError.message(error.errno)));"
                    + " start one with mooring serve")
        }
        guard control.peerUser == geteuid() || control.peerUser == 0 else {
            control.close()
            throw ServingError.failed(
                "another user's program listens at \(path); nothing is taken over")
        }
        do {
            try control.send(Self.greeting)
            let message = try control.receive()
            (admin, listeners) = try Self.sockets(in: message)
        } catch {
            control.close()
            throw Self.broken(error)
        }
    }

    /// Has it stop accepting and let go of its processes; blocks until it has.
    ///
    /// - Throws: `ServingError` when it does not answer; it may serve on then.
    func handOver() throws {
        do {
            try control.send("ready")
            let answer = try control.receive()
            guard answer.line == "yours" else {
                throw SystemError(call: answer.line, errno: EPROTO)
            }
        } catch {
            throw Self.broken(error)
        }
    }

    /// Takes the connections that it sends, until it has ended; blocks for so long.
    func receiveConnections(log: Logger, _ take: (MovedConnection) -> Void) {
        defer { control.close() }
        while true {
            do throws(SystemError) {
                Self.connections(in: try control.receive()).forEach(take)
            } catch {
                switch error.errno {
                // It has something under way still.
                case EAGAIN: continue
                case EMSGSIZE: log.warning("kept connections were lost: too few descriptors")
                default: return
                }
            }
        }
    }

    /// After a failed start: what was received is let go of.
    func giveUp() {
        for socket in listeners.values { socket.leave() }
        control.close()
    }

    private static func sockets(
        in message: ControlSocket.Message
    ) throws -> (ListenerSettings.Place?, [ListenerSettings.Place: ListeningSocket]) {
        var words = message.line.split(separator: " ").map(String.init)
        guard words.first == "sockets", words.count == message.descriptors.count + 2 else {
            for descriptor in message.descriptors { close(descriptor) }
            throw SystemError(call: message.line, errno: EPROTO)
        }
        let admin = ListenerSettings.Place(words[1])
        words.removeFirst(2)
        var listeners: [ListenerSettings.Place: ListeningSocket] = [:]
        for (word, descriptor) in zip(words, message.descriptors) {
            guard let place = ListenerSettings.Place(word),
                let socket = try? ListeningSocket(inheriting: descriptor)
            else {
                close(descriptor)
                continue
            }
            listeners[place] = socket
        }
        return (admin, listeners)
    }

    private static func connections(in message: ControlSocket.Message) -> [MovedConnection] {
        let words = message.line.split(separator: " ").dropFirst()
        var notes = words.makeIterator()
        return message.descriptors.compactMap { descriptor in
            guard let word = notes.next(), let note = notes.next(), let unread = notes.next(),
                let bytes = unread == "-" ? Data() : Data(base64Encoded: String(unread)),
                let place = ListenerSettings.Place(String(word)),
                let connection = MovedConnection(
                    socket: StreamSocket(descriptor: descriptor), listener: place, note: note,
                    unread: Array(bytes))
            else {
                close(descriptor)
                return nil
            }
            return connection
        }
    }

    private static func broken(_ error: any Error) -> ServingError {
        .failed("the running balancer does not hand over (\(error)); it serves on")
    }
}

extension ListenerSettings.Place {
    /// As the two balancers write it: percent-encoded, so that a path may have spaces.
    var word: String {
        let text: String
        switch self {
        case .address(.unix(let path)): text = "unix:\(path)"
        case .address(.tcp(let host, let port)): text = "tcp:\(port):\(host)"
        case .inherited(let name): text = "fd:\(name)"
        }
        return text.utf8.reduce(into: "") { result, byte in
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%") {
                result.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                result += byte < 16 ? "%0" : "%"
                result += String(byte, radix: 16)
            }
        }
    }

    init?(_ word: String) {
        var bytes: [UInt8] = []
        var rest = Substring(word)
        while let first = rest.utf8.first {
            rest.removeFirst()
            guard first == UInt8(ascii: "%") else {
                bytes.append(first)
                continue
            }
            guard let byte = UInt8(rest.prefix(2), radix: 16), rest.count >= 2 else { return nil }
            bytes.append(byte)
            rest.removeFirst(2)
        }
        guard let text = String(validating: bytes, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else { return nil }
        let value = String(text[text.index(after: colon)...])
        switch text[..<colon] {
        case "unix": self = .address(.unix(path: value))
        case "fd": self = .inherited(name: value)
        case "tcp":
            guard let colon = value.firstIndex(of: ":"), let port = UInt16(value[..<colon]) else {
                return nil
            }
            self = .address(.tcp(host: String(value[value.index(after: colon)...]), port: port))
        default: return nil
        }
    }
}
