internal import Dispatch
internal import Synchronization
internal import Testing

@testable internal import Supervision

@Suite struct HoldableFilesTests {
    private static let patience = 20
    private static let ours: [UInt32] = [0, 0, 0, 0]

    private static func user(_ id: UInt32) -> [UInt32] { [id, id, id, id] }

    /// Files of `/held` are not read before the gate opens.
    private final class Gate: Sendable {
        private let gate = DispatchSemaphore(value: 0)
        private let readings = Atomic<Int>(0)
        var count: Int { readings.load(ordering: .relaxed) }

        func read(_ path: String) -> [UInt8]? {
            readings.add(1, ordering: .relaxed)
            if path == "/gone" { return nil }
            if path == "/held" {
                gate.wait()
                gate.signal()
            }
            return Array(path.utf8)
        }

        func open() { gate.signal() }
    }

    private let gate = Gate()

    private func makeFiles() -> HoldableFiles { HoldableFiles(own: 0) { [gate] in gate.read($0) } }

    @Test func `files of others are read, one after the other`() {
        let files = makeFiles()
        for path in ["/one", "/two", "/three"] {
            #expect(
                files.bytes(path, users: Self.user(7), patience: 10_000) == Array(path.utf8))
        }
        #expect(files.bytes("/own", users: Self.ours, patience: 0) == Array("/own".utf8))
    }

    @Test func `one that cannot be read blocks no reader`() {
        let files = makeFiles()
        #expect(files.bytes("/gone", users: Self.user(7), patience: 10_000) == nil)
        #expect(files.bytes("/one", users: Self.user(7), patience: 10_000) != nil)
        #expect(files.takeNews().isEmpty)
    }

    @Test func `a user who holds a reader up is not read again, and others are`() {
        let files = makeFiles()
        #expect(files.bytes("/held", users: Self.user(7), patience: Self.patience) == nil)
        #expect(files.takeNews() == [7])
        #expect(files.takeNews().isEmpty)
        let count = gate.count
        #expect(files.bytes("/other", users: Self.user(7), patience: 10_000) == nil)
        #expect(gate.count == count)
        #expect(files.bytes("/other", users: Self.user(8), patience: 10_000) != nil)
        gate.open()
    }

    @Test func `a user with several ids is one of them`() {
        let files = makeFiles()
        // A program of root's that a user has started.
        #expect(files.bytes("/held", users: [7, 0, 0, 0], patience: Self.patience) == nil)
        #expect(files.takeNews() == [7])
        gate.open()
    }

    @Test func `many users hold up no more than a few readers`() {
        let files = makeFiles()
        for id in 1...100 as ClosedRange<UInt32> {
            #expect(files.bytes("/held", users: Self.user(id), patience: 1) == nil)
        }
        #expect(gate.count <= 8)
        #expect(files.bytes("/own", users: Self.ours, patience: 0) != nil)
        gate.open()
    }
}
