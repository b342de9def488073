internal import Backends
internal import ReverseProxy
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import Serving

@Suite struct TakeoverMessageTests {
    typealias Address = ListenerAddress

    private static let addresses: [Address] = [
        .address(.tcp(host: "127.0.0.1", port: 80)), .address(.tcp(host: "::1", port: 65535)),
        .address(.unix(path: "/run/a folder/%41 \u{E9}\n.sock")), .inherited(name: "web:front"),
        .address(.unix(path: "")), .inherited(name: ""),
    ]

    static let messages: [TakeoverMessage] = [
        .greeting, .ready, .yours,
        .sockets(admin: addresses[0], listeners: addresses),
        .sockets(admin: addresses[2], listeners: []),
        .sockets(admin: nil, listeners: [addresses[0], nil, addresses[3]]),
        .connections([]),
        .connections(
            addresses.map { .init(listener: $0, note: "k:c", unread: []) } + [
                nil, .init(listener: addresses[1], note: "f:s:0:7f000001", unread: [0, 32, 255]),
            ]),
    ]

    @Test(arguments: messages)
    func `a message that is written is read as the same`(_ message: TakeoverMessage) {
        #expect(TakeoverMessage(message.line) == message)
    }

    /// A balancer of an earlier version is taken over with these.
    @Test func `the lines of version 1 stay as they are`() {
        let lines = [
            "takeover 1", "ready", "yours",
            "sockets unix:/run/m/admin.sock tcp:8080:127.0.0.1 fd:web",
            "connections tcp:80:::1 k:c - unix:/a%20b f:s:0:7f000001 R0VU",
        ]
        let messages: [TakeoverMessage] = [
            .greeting, .ready, .yours,
            .sockets(
                admin: .address(.unix(path: "/run/m/admin.sock")),
                listeners: [
                    .address(.tcp(host: "127.0.0.1", port: 8080)), .inherited(name: "web"),
                ]),
            .connections([
                .init(
                    listener: .address(.tcp(host: "::1", port: 80)), note: "k:c", unread: []),
                .init(
                    listener: .address(.unix(path: "/a b")), note: "f:s:0:7f000001",
                    unread: Array("GET".utf8)),
            ]),
        ]
        #expect(lines.map(TakeoverMessage.init) == messages)
        #expect(messages.map(\.line) == lines)
    }

    @Test(arguments: [
        "", " ", "takeover", "takeover 2", "takeover 1 please", "TAKEOVER 1", "ready now", "yours?",
        "sockets", "socket unix:/a", "connection tcp:80:a k:c -", "\u{0}", "ready\n",
    ])
    func `a line that is none of them is no message`(_ line: String) {
        #expect(TakeoverMessage(line) == nil)
    }

    @Test(arguments: [
        "", "?", "unix", "tcp:80", "tcp:65536:a", "tcp:-1:a", "tcp::a", "fd", "file:/a", "unix%3",
        "unix:%", "unix:%4", "unix:%+1", "unix:%zz", "unix:%ff", "%", ":",
    ])
    func `a word that is no address takes the place of one`(_ word: String) {
        #expect(Address(word: word) == nil)
        guard !word.isEmpty else { return }
        let known = Address.inherited(name: "web")
        #expect(
            TakeoverMessage("sockets fd:web \(word) fd:web")
                == .sockets(admin: known, listeners: [nil, known]))
    }

    @Test func `a connection that is not understood spoils no other`() {
        let good = TakeoverMessage.Connection(
            listener: .inherited(name: "web"), note: "k:c", unread: [])
        for bad in ["web k:c -", "fd:web k:c =", "fd:web k:c R0V", "? - -"] {
            #expect(
                TakeoverMessage("connections fd:web k:c - \(bad) fd:web k:c -")
                    == .connections([good, nil, good]))
        }
        #expect(
            TakeoverMessage("connections fd:web k:c - fd:web k:c") == .connections([good, nil]))
        #expect(TakeoverMessage("connections fd:web") == .connections([nil]))
    }

    @Test func `any line is read or refused, and what is read stays the same`() {
        var generator = SeededGenerator(seed: 7)
        let lines = Self.messages.map(\.line)
        for _ in 0..<20_000 {
            var bytes = Array(lines.randomElement(using: &generator).map(\.utf8) ?? "".utf8)
            for _ in 0...Int.random(in: 0...4, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0...3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(UInt8(ascii: " "), at: index)
                default: bytes.removeLast(bytes.count - index)
                }
            }
            guard let message = TakeoverMessage(String(decoding: bytes, as: UTF8.self)) else {
                continue
            }
            #expect(TakeoverMessage(message.line) == message)
        }
    }
}
