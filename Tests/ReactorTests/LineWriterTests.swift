internal import Glibc
internal import Synchronization
internal import Testing

@testable internal import Reactor

/// Lines for a reader that may not read them.
@Suite struct LineWriterTests {
    private final class Told: Sendable {
        let recovered = Mutex<[Int]>([])
    }

    private static let line = [UInt8](repeating: 0x61, count: 64 * 1024)

    private func folder() -> String {
        var template = Array("/tmp/m-line-XXXXXX".utf8CString)
        _ = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe mkdtemp($0) }
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func writer(_ path: String, _ told: Told) throws -> LineWriter {
        try LineWriter(
            name: "test",
            reports: .init(recovered: { count in told.recovered.withLock { $0.append(count) } })
        ) { () throws(SystemError) -> OutputFile in try OutputFile(appendingTo: path) }
    }

    /// Reads until nothing has come for a while that is long for a pipe with a living writer.
    private func read(_ descriptor: Int32, until isDone: ([UInt8]) -> Bool) -> [UInt8] {
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        while !isDone(all) {
            let count = unsafe piece.withUnsafeMutableBytes { room in
                unsafe Glibc.read(descriptor, room.baseAddress, room.count)
            }
            if count <= 0 { return all }
            all += piece[..<count]
        }
        return all
    }

    @Test func `what a reader does not read is bounded, counted and reported later`() throws {
        let folder = folder()
        let path = "\(folder)/fifo"
        unsafe mkfifo(path, 0o600)
        let told = Told()
        let writer = try writer(path, told)
        for _ in 0..<400 { writer.append(Self.line, count: 1) }
        #expect(writer.lost > 0, "25 MB do not fit")
        writer.append(Array("important\n".utf8), count: 1, .important)
        let reader = unsafe open(path, O_RDONLY)
        defer { close(reader) }
        let text = read(reader) { $0.suffix(10) == Array("important\n".utf8)[...] }
        #expect(text.count == (400 - Int(writer.lost)) * Self.line.count + 10)
        while told.recovered.withLock({ $0.isEmpty }) { usleep(1000) }
        #expect(told.recovered.withLock { $0 } == [Int(writer.lost)])
    }

    @Test func `reopening does not wait for a pipe without a reader`() throws {
        let folder = folder()
        let path = "\(folder)/log"
        unsafe mkfifo(path, 0o600)
        let told = Told()
        let writer = try writer(path, told)
        for _ in 0..<4 { writer.append(Self.line, count: 1) }
        unsafe unlink(path)
        writer.reopen()
        writer.append(Array("after\n".utf8), count: 1)
        var status = stat()
        while unsafe stat(path, &status) != 0 || status.st_size == 0 { usleep(1000) }
        let file = unsafe open(path, O_RDONLY)
        defer { close(file) }
        #expect(read(file) { _ in false }.suffix(6) == Array("after\n".utf8)[...])
    }
}
