internal import Backends
internal import Glibc
internal import Logging
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import Supervision

extension SupervisorTests {
    /// Processes that are asked whether they answer.
    @Suite struct Healthy {
        @Test func `a process is ready when its health path answers well, not before`() throws {
            let fixture = try server(answers: ["500 No", "503 No", "204 Fine"])
            let process = fixture.spawn()
            try fixture.waitUntilReady(process)
            // What it prints may be read after its answer.
            let asked = try fixture.facts.wait("asked three times") { facts in
                let lines = facts.compactMap { fact in
                    if case .logged(let line, .info) = fact, line.hasPrefix("asked") {
                        line
                    } else {
                        nil
                    }
                }
                return lines.count >= 3 ? lines : nil
            }
            #expect(asked.first == "asked GET /up?x=1 HTTP/1.1")
            let told = fixture.facts.all.contains { fact in
                guard case .logged(let line, .notice) = fact else { return false }
                return line.hasSuffix("is not healthy yet: status 500")
            }
            #expect(told)
        }

        @Test func `an application that does not know the path answers all the same`() throws {
            let fixture = try server(answers: ["404 Not Found"])
            try fixture.waitUntilReady(fixture.spawn())
            // Which shows little, and is logged once.
            _ = try fixture.facts.wait("the warning") { facts in
                facts.first { fact in
                    guard case .logged(let line, .warning) = fact else { return false }
                    return line.contains("answers 404 at health.path /up")
                }
            }
        }

        @Test func `a process that answers badly so many times in a row is recycled once`() throws {
            let fixture = try server(answers: ["200 OK", "500 No", "200 OK", "500 No", "500 No"])
            let process = fixture.spawn()
            try fixture.wait(for: .recycled(process, .unhealthy))
            fixture.terminate(process)
            _ = try fixture.waitForExit(process)
            #expect(fixture.facts.all.count { $0 == .recycled(process, .unhealthy) } == 1)
            // The good one in between reset the count.
            let asked = fixture.facts.all.count { fact in
                if case .logged(let line, .info) = fact { line.hasPrefix("asked") } else { false }
            }
            #expect(asked == 5)
        }

        @Test func `a suspended process is recycled, its neighbour is not`() throws {
            let fixture = try server(answers: ["200 OK"])
            let (suspended, other) = (fixture.spawn(), fixture.spawn())
            try fixture.waitUntilReady(suspended)
            try fixture.waitUntilReady(other)
            kill(try fixture.pid(of: suspended), SIGSTOP)
            try fixture.wait(for: .recycled(suspended, .unhealthy))
            #expect(!fixture.facts.all.contains(.recycled(other, .unhealthy)))
            fixture.kill(suspended)
        }

        @Test func `a process that sends READY=1 is ready, and watched from then on`() throws {
            let fixture = try server(answers: ["500 No"], first: "tell()")
            let process = fixture.spawn()
            try fixture.waitUntilReady(process)
            try fixture.wait(for: .recycled(process, .unhealthy))
        }

        /// A server that gives the answers one after the other, and the last of them for ever.
        private func server(
            answers: [String], first: String = ""
        ) throws -> SupervisionFixture {
            try SupervisionFixture([
                "python3", "-c",
                """
                import os, signal, socket
                def tell():
                    n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    n.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
                s = socket.socket(socket.AF_UNIX)
                s.bind(os.environ["MOORING_SOCKET"])
                s.listen()
                \(first)
                answers = "\(answers.joined(separator: "|"))".split("|")
                while True:
                    c, _ = s.accept()
                    asked = c.recv(4096)
                    if not asked:
                        continue  # whether it accepts at all
                    print("asked", asked.split(b"\\r\\n")[0].decode(), flush=True)
                    c.sendall(b"HTTP/1.1 %s\\r\\n\\r\\nbody" % answers[0].encode())
                    c.close()
                    if len(answers) > 1:
                        answers.pop(0)
                """,
            ]) { launch in
                var health = HealthPolicy(path: "/up?x=1")
                health.interval = .milliseconds(20)
                health.fall = 2
                launch.health = health
            }
        }
    }
}

@Suite struct HealthAnswerTests {
    private func status(_ text: String) -> HealthAnswer.Status {
        var answer = HealthAnswer()
        answer.append(Array(text.utf8).span)
        return answer.status
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n", 200), ("HTTP/1.0 503\r\nx", 503), ("HTTP/1.1 204 \n", 204),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\n", 404),
        ("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n", 200),
    ])
    func `the final status is found`(text: String, code: Int) {
        #expect(status(text) == .code(code))
    }

    @Test(arguments: [
        "", "H", "HTTP/1.1 200", "HTTP/1.1 100 Continue\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP",
    ])
    func `a beginning is not enough`(text: String) { #expect(status(text) == .incomplete) }

    @Test(arguments: [
        "SSH-2.0", "HTTP/2 200\r\n", "HTTP/1.1 2000 x\r\n", "HTTP/1.1 20\r\n", "HTTP/1.1  200\r\n",
        "HTTP/1.1 099 x\r\n", "HTTP/1.1 600 x\r\n", "\r\n", "HTTP/1.1 100 C\r\n\r\nx",
    ])
    func `anything else is no answer`(text: String) { #expect(status(text) == .malformed) }

    @Test func `an endless line is not read to its end`() {
        var answer = HealthAnswer()
        let line = Array("HTTP/1.1 200 ".utf8) + [UInt8](repeating: 0x78, count: 10_000)
        answer.append(line.span)
        #expect(answer.isFull)
        #expect(answer.status == .malformed)
    }
}
