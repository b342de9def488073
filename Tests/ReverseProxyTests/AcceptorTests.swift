internal import Foundation
internal import Reactor
internal import Synchronization
internal import Testing

@testable internal import ReverseProxy

@Suite struct AcceptorTests {
    /// Two sockets in a folder of their own, and the acceptor of a loop without a thread.
    private final class Site {
        let fixture: LoopFixture
        let acceptor: Acceptor
        let folder: String
        /// What has been taken, by the index of its listener.
        var taken: [Int] = []
        private var open: [StreamSocket] = []

        init() throws {
            fixture = try LoopFixture()
            acceptor = Acceptor(loop: fixture.loop, shared: fixture.shared)
            let name = "acceptor-\(UUID().uuidString.prefix(8))"
            folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false)
        }

        deinit {
            acceptor.end(leavesThem: false)
            for socket in open { socket.close() }
            try? FileManager.default.removeItem(atPath: folder)
        }

        func listen(_ name: String) throws -> ListeningSocket {
            try ListeningSocket(.unix("\(folder)/\(name)"))
        }

        func connect(to name: String) throws {
            open.append(try SocketAddress.unix("\(folder)/\(name)").connect().socket)
        }

        func exists(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: "\(folder)/\(name)")
        }

        /// Takes what events there are, and what waits.
        func turn(limit: Int = 1000) {
            fixture.loop.turn(until: 0) { token, _ in
                let token = EventToken(rawValue: token)
                if token.kind == .listener { acceptor.noteReady(token.entry) }
            }
            acceptor.acceptPending(limit: limit) { socket, _, index in
                fixture.shared.connectionOpened(worker: 0)
                taken.append(index)
                open.append(socket)
            }
        }
    }

    @Test func `connections come with the index of their listener`() throws {
        let site = try Site()
        site.acceptor.adopt([try site.listen("a"), nil, try site.listen("c")])
        site.acceptor.watchAll()
        try site.connect(to: "c")
        try site.connect(to: "a")
        site.turn()
        #expect(site.taken.sorted() == [0, 2])
    }

    @Test func `nothing is accepted before the sockets are watched`() throws {
        let site = try Site()
        site.acceptor.adopt([try site.listen("a")])
        try site.connect(to: "a")
        site.turn()
        #expect(site.taken.isEmpty)
        site.acceptor.watchAll()
        site.turn()
        #expect(site.taken == [0])
    }

    @Test func `a turn takes some, and the others come in the next`() throws {
        let site = try Site()
        site.acceptor.adopt([try site.listen("a")])
        site.acceptor.watchAll()
        for _ in 0..<70 { try site.connect(to: "a") }
        site.turn()
        #expect(site.taken.count == 64)
        #expect(site.acceptor.isBusy)
        site.turn()
        #expect(site.taken.count == 70)
        #expect(!site.acceptor.isBusy)
    }

    @Test func `at the limit connections wait, and are taken when one has ended`() throws {
        let site = try Site()
        site.acceptor.adopt([try site.listen("a")])
        site.acceptor.watchAll()
        for _ in 0..<3 { try site.connect(to: "a") }
        site.turn(limit: 2)
        #expect(site.taken.count == 2)
        #expect(site.acceptor.retryAt < .max, "it looks again by itself, too")
        site.fixture.shared.connectionClosed(worker: 0)
        #expect(!site.fixture.shared.shares[0].mailbox.isEmpty, "the loop is notified")
        site.acceptor.resume()
        site.turn(limit: 2)
        #expect(site.taken.count == 3)
    }

    @Test func `a reload closes what is gone, and watches what is new beside what stays`() throws {
        let site = try Site()
        let kept = try site.listen("kept")
        site.acceptor.adopt([try site.listen("gone"), kept])
        site.acceptor.watchAll()
        try site.connect(to: "kept")
        site.acceptor.replace(with: [nil, kept, try site.listen("new")], isDraining: false)
        #expect(!site.exists("gone"))
        try site.connect(to: "new")
        site.turn()
        #expect(site.taken.sorted() == [1, 2])
    }

    @Test func `an index that is given to another listener has the other's connections`() throws {
        let site = try Site()
        site.acceptor.adopt([try site.listen("a")])
        site.acceptor.watchAll()
        site.acceptor.replace(with: [nil], isDraining: false)
        site.acceptor.replace(with: [try site.listen("b")], isDraining: false)
        try site.connect(to: "b")
        site.turn()
        #expect(site.taken == [0])
    }

    @Test func `a reload after the end of listening begins it nowhere`() throws {
        let site = try Site()
        site.acceptor.adopt([try site.listen("a")])
        site.acceptor.watchAll()
        site.acceptor.end(leavesThem: false)
        let late = try site.listen("late")
        site.acceptor.replace(with: [late], isDraining: true)
        try site.connect(to: "late")
        site.turn()
        site.acceptor.resume()
        site.turn()
        #expect(site.taken.isEmpty)
        late.close()
    }

    @Test(arguments: [true, false])
    func `the file of a socket stays for a successor alone`(hasSuccessor: Bool) throws {
        let site = try Site()
        site.acceptor.adopt([try site.listen("a")])
        site.acceptor.end(leavesThem: hasSuccessor)
        #expect(site.exists("a") == hasSuccessor)
        #expect(site.acceptor.retryAt == .max)
        #expect(!site.acceptor.isBusy)
    }
}
