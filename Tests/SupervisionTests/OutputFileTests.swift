internal import Backends
internal import Glibc
internal import Logging
internal import TestSupport
internal import Testing

@testable internal import Supervision

extension SupervisorTests {
    /// Groups whose output goes to a file.
    @Suite struct OutputFiles {
        private let folder = TemporaryFolder()
        private var file: String { "\(folder.path)/app.log" }

        private func lines() -> [Substring] {
            (ProcFile.text(file) ?? "").split(separator: "\n")
        }

        @Test func `each line has its time, process and stream, and is not in the log`() throws {
            let fixture = try SupervisionFixture(script: "echo one; echo two >&2; printf three") {
                $0.outputFile = file
            }
            let process = fixture.spawn()
            let report = try fixture.waitForExit(process)
            let tag = "group0/\(try fixture.label(of: process))[\(try fixture.pid(of: process))]"
            fixture.supervisor.stop()
            let texts = lines().map { $0.drop { $0 != " " }.dropFirst() }
            #expect(
                Set(texts) == [
                    "\(tag) stdout: one", "\(tag) stderr: two", "\(tag) stdout: three",
                ])
            let time = try Regex(#"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "#)
            #expect(lines().allSatisfy { $0.firstMatch(of: time) != nil })
            #expect(!fixture.facts.all.contains(.logged("one", .info)))
            #expect(Set(report.output) == ["one", "two", "three"], "kept for reports all the same")
            var status = stat()
            unsafe stat(file, &status)
            #expect(status.st_mode & 0o137 == 0, "only the owner may read it")
        }

        @Test func `after it was moved away it is reopened`() throws {
            let (moved, go) = ("\(folder.path)/moved", "\(folder.path)/go")
            unsafe mkfifo(moved, 0o600)
            unsafe mkfifo(go, 0o600)
            let fixture = try SupervisionFixture(
                script: """
                    echo before
                    until grep -q before '\(file)'; do sleep 0.01; done
                    mv '\(file)' '\(file).1'
                    : > '\(moved)'; : < '\(go)'
                    echo after
                    """
            ) { $0.outputFile = file }
            let process = fixture.spawn()
            // Each open waits for the process to open the other end.
            close(unsafe open(moved, O_RDONLY))
            fixture.supervisor.reopenOutput()
            close(unsafe open(go, O_WRONLY))
            _ = try fixture.waitForExit(process)
            fixture.supervisor.stop()
            #expect(lines().count == 1)
            #expect(lines().first?.hasSuffix("stdout: after") == true)
        }

        @Test(.enabled(if: unsafe access("/dev/full", F_OK) == 0))
        func `a full disk is logged once, and stops no process`() throws {
            let fixture = try SupervisionFixture(
                ["sh", "-c", "yes flood of lines | head -c 3000000"], listener
            ) {
                $0.outputFile = "/dev/full"
            }
            let process = fixture.spawn()
            #expect(try fixture.waitForExit(process).status == 0)
            let other = fixture.spawn(group: 1)
            try fixture.waitUntilReady(other)
            fixture.supervisor.killAll()
            fixture.supervisor.stop()
            let told = fixture.facts.all.count { fact in
                guard case .logged(let line, .error) = fact else { return false }
                return line.hasPrefix("/dev/full cannot be written to")
            }
            #expect(told == 1)
        }

        @Test func `a pipe is refused instead of waiting for its reader`() throws {
            unsafe mkfifo(file, 0o600)
            // One that never reads, and would keep the writer waiting once the pipe is full.
            let reader = unsafe open(file, O_RDONLY | O_NONBLOCK)
            defer { close(reader) }
            let fixture = try SupervisionFixture(script: "echo lost") { $0.outputFile = file }
            _ = try fixture.waitForExit(fixture.spawn())
            fixture.supervisor.stop()
            let told = fixture.facts.all.contains { fact in
                guard case .logged(let line, .error) = fact else { return false }
                return line.contains("(open \(file))")
            }
            #expect(told)
        }
    }
}

@Suite struct OutputTargetTests {
    @Test func `what waits is bounded, and what is lost is counted`() {
        let target = OutputTarget(path: "/x")
        #expect(target.admits(bytes: OutputTarget.waitingLimit, lines: 1))
        #expect(!target.admits(bytes: 1, lines: 7))
        target.settle(bytes: OutputTarget.waitingLimit)
        #expect(target.admits(bytes: 1, lines: 1))
        #expect(target.takeLost() == 7)
        #expect(target.takeLost() == 0)
    }
}

@Suite struct TimeTextTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_795_348_799_999, "2026-11-22T11:59:59.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func `a time is written in UTC with milliseconds`(milliseconds: Int64, text: String) {
        #expect(TimeText.utc(wallNanoseconds: milliseconds * 1_000_000) == text)
    }
}
