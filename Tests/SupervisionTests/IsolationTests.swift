internal import Backends
internal import Glibc
internal import Reactor
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import Supervision

extension SupervisorTests {
    /// As whom and within which bounds a process runs.
    @Suite struct Isolated {
        @Test(.enabled(if: isRoot))
        func `a process of another user has its ids, groups and home, and no privilege`() throws {
            let account = try Account.find(user: "nobody", supplementary: ["daemon"])
            let daemon = try Account.find(user: "daemon").group
            let fixture = try SupervisionFixture(
                script: """
                    id -u; id -g; id -G; echo $HOME $USER $LOGNAME
                    exec grep -E '^(Uid|Cap(Prm|Eff|Amb)|NoNewPrivs)' /proc/self/status
                    """
            ) { launch in
                launch.isolation.account = account
                launch.environment = LaunchEnvironment.base(
                    from: ["HOME": "/root"], passing: [], account: account)
                launch.directory = "/"
            }
            let output = try fixture.waitForExit(fixture.spawn()).output
            try #require(output.count == 9, "\(output)")
            #expect(output[0] == "\(account.user)")
            #expect(output[1] == "\(account.group)")
            #expect(output[2].split(separator: " ") == ["\(account.group)", "\(daemon)"])
            #expect(output[3] == "\(account.home) nobody nobody")
            let ids = Array(repeating: "\(account.user)", count: 4).joined(separator: "\t")
            #expect(output[4] == "Uid:\t\(ids)")
            let none = "0000000000000000"
            #expect(
                output[5...] == [
                    "CapPrm:\t\(none)", "CapEff:\t\(none)", "CapAmb:\t\(none)", "NoNewPrivs:\t1",
                ])
        }

        @Test(.enabled(if: isRoot))
        func `a process of another user listens in a directory of that user's`() throws {
            let fixture = try isolated(listener)
            let process = fixture.spawn()
            try fixture.waitUntilReady(process)
            guard case .unix(let socket) = try fixture.address(of: process) else {
                Issue.record("a process gets a socket unless it asks for a port")
                return
            }
            let folder = "\(fixture.directory.path)/run/u\(try nobody.user)"
            #expect(socket.hasPrefix("\(folder)/"))
            var status = stat()
            #expect(unsafe stat(folder, &status) == 0)
            #expect(try status.st_uid == nobody.user)
            #expect(status.st_mode & 0o777 == 0o700)
            #expect(unsafe stat("\(fixture.directory.path)/run", &status) == 0)
            #expect(status.st_uid == 0)
            #expect(status.st_mode & 0o777 == 0o711)
            fixture.terminate(process)
            _ = try fixture.waitForExit(process)
            #expect(unsafe access(socket, F_OK) != 0, "the socket file is removed")
        }

        @Test(.enabled(if: isRoot))
        func `the host program can be read, and standard output opened, by another user`() throws {
            let fixture = try isolated([
                "sh", "-c",
                "head -c 1 ../run/host/mooring_host.py >/dev/null && echo read > /dev/stdout",
            ])
            unsafe mkdir("\(fixture.directory.path)/app", 0o755)
            #expect(try fixture.waitForExit(fixture.spawn()).output == ["read"])
        }

        @Test(.enabled(if: isRoot))
        func `a directory that the user may not enter is named`() throws {
            let fixture = try isolated(["true"])
            unsafe mkdir("\(fixture.directory.path)/app", 0o700)
            let report = try fixture.waitForExit(fixture.spawn())
            #expect(report.reason == "Permission denied: \(fixture.directory.path)/app (cwd)")
        }

        @Test func `limits and umask are those asked for`() throws {
            let fixture = try SupervisionFixture(script: "umask; ulimit -Sn; ulimit -Hn; ulimit -c")
            { launch in
                launch.isolation.umask = 0o077
                launch.isolation.limits = [.init(.nofile, 77), .init(.core, 0)]
            }
            #expect(try fixture.waitForExit(fixture.spawn()).output == ["0077", "77", "77", "0"])
        }

        @Test func `a limit that the system refuses is named`() throws {
            // More than fs.nr_open, which not even root may have.
            let fixture = try SupervisionFixture(["true"]) { launch in
                launch.isolation.limits = [.init(.core, 0), .init(.nofile, nil)]
            }
            let report = try fixture.waitForExit(fixture.spawn())
            #expect(report.reason.hasPrefix("Operation not permitted: nofile (rlimits)"))
        }

        @Test func `privileges may be gained where that is asked for`() throws {
            let fixture = try SupervisionFixture(script: "grep NoNewPrivs /proc/self/status") {
                $0.isolation.noNewPrivileges = false
            }
            #expect(try fixture.waitForExit(fixture.spawn()).output == ["NoNewPrivs:\t0"])
        }

        /// A fixture of one group that runs as nobody in the directory `app`.
        private func isolated(_ command: [String]) throws -> SupervisionFixture {
            let account = try nobody
            let fixture = try SupervisionFixture(command) { launch in
                launch.isolation.account = account
                launch.directory += "/app"
                if command == listener { launch.directory = "/" }
            }
            unsafe chmod(fixture.directory.path, 0o711)
            return fixture
        }

        private var nobody: Account { get throws { try Account.find(user: "nobody") } }
    }
}

/// Whether the tests may change their user.
private var isRoot: Bool { geteuid() == 0 }

@Suite struct AccountTests {
    @Test func `a user is found by name and by number, with a home and groups`() throws {
        let root = try Account.find(user: "root")
        #expect(root.user == 0)
        #expect(root.home == "/root")
        #expect(root.supplementaryGroups.contains(0))
        #expect(try Account.find(user: "0") == root)
    }

    @Test func `the group can be another one, by name or number`() throws {
        #expect(try Account.find(user: "root", group: "daemon").group == 1)
        #expect(try Account.find(user: "root", group: "4711").group == 4711)
    }

    @Test func `a number without an entry needs a group`() throws {
        #expect(throws: AccountError.numberWithoutGroup("424242")) {
            try Account.find(user: "424242")
        }
        let account = try Account.find(user: "424242", group: "4711", supplementary: ["1"])
        #expect(account.user == 424_242)
        #expect(account.supplementaryGroups == [4711, 1])
    }

    @Test(arguments: ["no-such-user", "", "-1", "4294967295", "a\0b"])
    func `what is no user is refused by name`(name: String) {
        #expect(throws: AccountError.unknownUser(name)) { try Account.find(user: name) }
    }

    @Test func `what is no group is refused by name`() {
        let error = #expect(throws: AccountError.self) {
            try Account.find(user: "root", supplementary: ["no\u{1b}group"])
        }
        #expect(
            error?.description
                == "there is no group \"no\\x1bgroup\"; give the name or number of one that exists")
    }
}

@Suite struct SocketOwnerTests {
    private let scratch = TemporaryFolder()

    @Test func `a socket that another user listens on is not the process's`() throws {
        let path = "\(scratch.path)/a.sock"
        let socket = try ListeningSocket(.unix(path))
        defer { socket.close() }
        // What a process puts in place of its socket, to be connected with our rights.
        let link = "\(scratch.path)/link.sock"
        unsafe symlink(path, link)
        var stranger = ReadinessProbe(
            endpoint: ListeningEndpoint(socket: link), user: geteuid() &+ 1, now: Clock.monotonic())
        #expect(stranger.attempt(now: Clock.monotonic()) == .notYet)
        var own = ReadinessProbe(
            endpoint: ListeningEndpoint(socket: path), user: geteuid(), now: Clock.monotonic())
        #expect(own.attempt(now: Clock.monotonic()) == .accepts(.unix(path: path)))
    }
}
