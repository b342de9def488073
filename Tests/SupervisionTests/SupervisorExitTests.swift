internal import Backends
internal import Glibc
internal import TestSupport
internal import Testing

@testable internal import Supervision

/// What must be tried in a program of its own.
extension SupervisorTests {
    @Test func `without descriptors left a start fails, later ones succeed`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try SupervisionFixture(["true", "{socket}"])
            let process = fixture.spawn()
            let first = try fixture.waitForExit(process)
            var limit = rlimit()
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let before = limit
            // The next descriptor would be the first one above the limit.
            let next = unsafe open("/dev/null", O_RDONLY)
            close(next)
            limit.rlim_cur = rlim_t(next)
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let refused = try fixture.waitForExit(fixture.spawn())
            limit = before
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let last = try fixture.waitForExit(fixture.spawn())
            #expect(first.status == 0)
            #expect(refused.reason == "Too many open files (pipe)")
            #expect(last.status == 0)
        }
    }

    @Test func `when Mooring is killed, its processes are stopped`() async throws {
        let directory = TemporaryFolder()
        let fifo = "\(directory.path)/fifo"
        unsafe mkfifo(fifo, 0o600)
        let reader = unsafe open(fifo, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [fifo = fifo as String] in
            let fixture = try SupervisionFixture(
                script: "echo $$ > '\(fifo)'; echo written; exec sleep 1000")
            fixture.spawn()
            _ = try fixture.waitForLine("written")
            // The files of the fixture would stay, since nothing runs after this.
            fixture.directory.remove()
            kill(getpid(), SIGKILL)
        }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = unsafe read(reader, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(count - 1, 0)), as: UTF8.self)
        let pid = try #require(Int32(text))
        let hasEnded = Pidfd(of: pid).waitForEnd(milliseconds: 20_000)
        #expect(hasEnded, "\(pid) is still alive")
    }
}
