internal import Backends
internal import CLinux
internal import Glibc
internal import Logging
internal import TestSupport
internal import Testing

@testable internal import Supervision

extension SupervisorTests {
    /// What processes say of themselves over `NOTIFY_SOCKET`.
    @Suite struct Notifying {
        @Test func `a process that sends READY=1 is ready, once, though it listens nowhere`() throws
        {
            let fixture = try notifier("tell('READY=1'); tell('READY=1\\nSTATUS=told twice')")
            let process = fixture.spawn()
            try fixture.wait(for: .noted(process, .status("told twice")))
            #expect(fixture.facts.all.count { $0 == .ready(process) } == 1)
        }

        @Test func `status, stopping, more time and background work reach the registry`() throws {
            let fixture = try notifier(
                """
                tell('STATUS=\\x1b[31mred\\nX_MOORING_BUSY=1\\nMAINPID=1\\n')
                tell('X_MOORING_BUSY=0\\nEXTEND_TIMEOUT_USEC=5000000\\nSTOPPING=1')
                """)
            let process = fixture.spawn()
            try fixture.wait(for: .noted(process, .stopping))
            let notes = fixture.facts.all.compactMap { fact -> ProcessNote? in
                if case .noted(process, let note) = fact { note } else { nil }
            }
            #expect(
                notes == [
                    .status("\\x1b[31mred"), .busy(true), .extendTimeout(.seconds(5)),
                    .busy(false), .stopping,
                ])
        }

        @Test func `a descendant in a session of its own speaks for its process`() throws {
            let child = "os.setsid(); tell('STATUS=from the child'); signal.pause()"
            let fixture = try notifier(
                """
                if os.fork() == 0:
                    os.setpgid(0, 0)
                    tell('STATUS=from a group of its own')
                    \(CgroupTree.own() == nil ? "" : "if os.fork() == 0: \(child)")
                    signal.pause()
                """)
            let process = fixture.spawn()
            try fixture.wait(for: .noted(process, .status("from a group of its own")))
            if CgroupTree.own() != nil {
                try fixture.wait(for: .noted(process, .status("from the child")))
            }
        }

        @Test func `a notification of a foreign process is ignored`() throws {
            let fixture = try notifier(
                "print('waits', flush=True); signal.sigwait([signal.SIGUSR1]); tell('STATUS=mine')")
            let process = fixture.spawn()
            _ = try fixture.waitForLine("waits")
            let socket = try Datagrams(to: "\(fixture.directory.path)/run/notify")
            // In front of what follows from the process, in the same queue.
            socket.send("READY=1\nSTATUS=forged")
            kill(try fixture.pid(of: process), SIGUSR1)
            try fixture.wait(for: .noted(process, .status("mine")))
            #expect(!fixture.facts.all.contains(.ready(process)))
            #expect(!fixture.facts.all.contains(.noted(process, .status("forged"))))
        }

        @Test func `a process that stops saying that it is alive is recycled, once`() throws {
            let fixture = try notifier("tell('READY=1\\nWATCHDOG_USEC=100000\\nWATCHDOG=1')")
            let process = fixture.spawn()
            try fixture.wait(for: .recycled(process, .watchdog))
            fixture.kill(process)
            _ = try fixture.waitForExit(process)
            #expect(fixture.facts.all.count { $0 == .recycled(process, .watchdog) } == 1)
        }

        @Test func `a process that reports a failure of its own is recycled`() throws {
            let fixture = try notifier("tell('READY=1\\nWATCHDOG=trigger')")
            try fixture.wait(for: .recycled(fixture.spawn(), .watchdog))
        }

        @Test func `a barrier ends when all before it has been taken note of`() throws {
            let fixture = try notifier(
                """
                tell('STATUS=before')
                r, w = os.pipe()
                socket.send_fds(s, [b'BARRIER=1'], [w])
                os.close(w)
                os.read(r, 1)
                print('passed', flush=True)
                """)
            let process = fixture.spawn()
            _ = try fixture.waitForLine("passed")
            #expect(fixture.facts.all.contains(.noted(process, .status("before"))))
        }

        @Test func `too many notifications are dropped, and logged once`() throws {
            let fixture = try notifier(
                """
                tell('STATUS=' + 'x' * 5000)
                for i in range(2000): tell('STATUS=%d' % i)
                tell('READY=1')
                """)
            let process = fixture.spawn()
            try fixture.waitUntilReady(process)
            let notes = fixture.facts.all.count { if case .noted = $0 { true } else { false } }
            #expect(notes >= 100)
            #expect(notes < 1000)
            let told = fixture.facts.all.count { fact in
                guard case .logged(let line, .warning) = fact else { return false }
                return line.contains("tells its state too often")
            }
            #expect(told == 1)
            #expect(
                !fixture.facts.all.contains(
                    .noted(process, .status(String(repeating: "x", count: 256)))))
        }

        @Test(.enabled(if: geteuid() == 0))
        func `a process of another user can tell its state`() throws {
            let account = try Account.find(user: "nobody")
            let fixture = try notifier("tell('READY=1')") { launch in
                launch.isolation.account = account
                launch.directory = "/"
            }
            unsafe chmod(fixture.directory.path, 0o711)
            try fixture.waitUntilReady(fixture.spawn())
        }

        @Test func `the socket goes with the supervisor`() throws {
            let fixture = try notifier("tell('READY=1')")
            try fixture.waitUntilReady(fixture.spawn())
            let path = "\(fixture.directory.path)/run/notify"
            #expect(unsafe access(path, F_OK) == 0)
            fixture.supervisor.killAll()
            fixture.supervisor.stop()
            #expect(unsafe access(path, F_OK) != 0)
        }

        /// A process that runs `body` with `tell(text)`, and then waits.
        private func notifier(
            _ body: String, change: (inout LaunchSpec) -> Void = { _ in }
        ) throws -> SupervisionFixture {
            try SupervisionFixture(
                [
                    "python3", "-c",
                    """
                    import os, signal, socket, sys
                    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    s.connect(os.environ["NOTIFY_SOCKET"])
                    def tell(text):
                        s.send(text.encode())
                    \(body)
                    signal.pause()
                    """, "{socket}",
                ], change: change)
        }
    }
}

/// Sends datagrams as this program.
private struct Datagrams: ~Copyable {
    private let descriptor: Int32

    init(to path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = mooring_address()
        try #require(unsafe mooring_address_unix(&address, path) == 0)
        let result = unsafe withUnsafePointer(to: &address.storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, address.length)
            }
        }
        try #require(result == 0)
    }

    deinit { close(descriptor) }

    func send(_ text: String) { _ = unsafe Glibc.send(descriptor, text, text.utf8.count, 0) }
}

@Suite struct NotifyMessageTests {
    private func message(_ text: String) -> NotifyMessage { NotifyMessage(Array(text.utf8).span) }

    @Test func `fields are taken line by line, unknown ones left out`() {
        let read = message("READY=1\nSTATUS=at = work\nMAINPID=4711\nnonsense\n\nX_OTHER=1")
        #expect(read.isReady)
        #expect(read.status == "at = work")
        #expect(read.isBusy == nil)
        #expect(!read.isStopping)
    }

    @Test(arguments: ["", "READY", "READY=", "READY=0", "READY=yes", "ready=1", " READY=1", "=1"])
    func `only READY=1 means ready`(text: String) {
        #expect(message(text) == message("\n"))
    }

    @Test(
        arguments: [
            ("5000000", 5_000_000_000), ("0", 0), ("99999999999999999999999999", 3_600_000_000_000),
            ("18446744073709551615", 3_600_000_000_000), ("-1", nil), ("1s", nil), ("", nil),
        ] as [(String, Int64?)])
    func `spans are decimal and bounded`(text: String, nanoseconds: Int64?) {
        #expect(message("EXTEND_TIMEOUT_USEC=\(text)").extraTime == nanoseconds)
    }

    @Test func `a watchdog interval is kept within reason, 0 ends the watch`() {
        #expect(message("WATCHDOG_USEC=1").watchdogInterval == 100_000_000)
        #expect(message("WATCHDOG_USEC=0").watchdogInterval == 0)
        #expect(message("WATCHDOG_USEC=9223372036854775807").watchdogInterval == 86_400_000_000_000)
    }

    @Test func `a status is bounded and cannot steer a terminal`() {
        let status = message("STATUS=\u{1b}[2J" + String(repeating: "é", count: 500)).status
        #expect(status?.hasPrefix("\\x1b[2Jé") == true)
        #expect(status?.count == 256)
    }

    @Test func `bytes that are no text do no harm`() {
        let bytes: [UInt8] = Array("STATUS=".utf8) + [0xff, 0, 0x0a, 0xfe, 0x3d, 0x31]
        #expect(NotifyMessage(bytes.span).status == "\u{fffd}\\x00")
    }
}

@Suite struct WatchdogTests {
    private let second: Int64 = 1_000_000_000

    @Test func `a process is watched only after it has asked for it`() {
        var watchdog = Watchdog()
        watchdog.setInterval(second, now: 0)
        #expect(watchdog.deadline == nil)
        let missed = watchdog.isMissed(now: .max)
        #expect(!missed)
    }

    @Test func `each sign of life moves the deadline, a missed one ends the watch`() {
        var watchdog = Watchdog()
        watchdog.alive(now: 0)
        #expect(watchdog.deadline == 30 * second)
        watchdog.setInterval(second, now: 5 * second)
        #expect(watchdog.deadline == 6 * second)
        watchdog.alive(now: 6 * second - 1)
        let early = watchdog.isMissed(now: 6 * second)
        let late = watchdog.isMissed(now: 7 * second)
        let again = watchdog.isMissed(now: 8 * second)
        #expect(!early && late && !again)
    }

    @Test func `an interval of 0 ends the watch`() {
        var watchdog = Watchdog()
        watchdog.alive(now: 0)
        watchdog.setInterval(0, now: 1)
        #expect(watchdog.deadline == nil)
        watchdog.alive(now: 2)
        #expect(watchdog.deadline == nil)
    }
}
