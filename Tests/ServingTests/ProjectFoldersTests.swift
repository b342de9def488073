internal import Backends
internal import ConfigFile
internal import FoundationEssentials
internal import Glibc
internal import TestSupport
internal import Testing

@testable internal import Serving
@testable internal import Supervision

@Suite struct ProjectFoldersTests {
    private let folder = TemporaryFolder()

    private var environment: [String: String] {
        ["RUNTIME_DIRECTORY": "\(folder.path)/r", "STATE_DIRECTORY": "\(folder.path)/s"]
    }

    private func folders(_ application: String) throws -> ProjectFolders {
        try ProjectFolders.free(
            for: .python(application), in: "/srv/shop", environment: environment)
    }

    /// Makes the folders as a run leaves them behind, days ago.
    private func make(_ folders: ProjectFolders, daysAgo: Int, record: String? = nil) {
        let records = "\(folders.state)/processes"
        for path in [folders.runtime, folders.state, records] { unsafe mkdir(path, 0o700) }
        if let record { unsafe mkdir("\(records)/\(record)", 0o700) }
        setTimes(of: folders, daysAgo: daysAgo)
    }

    private func setTimes(of folders: ProjectFolders, daysAgo: Int) {
        let then = timespec(tv_sec: time(nil) - daysAgo * 24 * 3600, tv_nsec: 0)
        for path in [folders.runtime, folders.state, "\(folders.state)/processes"] {
            _ = unsafe [then, then].withUnsafeBufferPointer { times in
                unsafe utimensat(AT_FDCWD, path, times.baseAddress, 0)
            }
        }
    }

    private func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    @Test func `the usual names are one project with none`() throws {
        #expect(try folders("app.py") == folders("app.py:application"))
        #expect(try folders("app.py") == folders("app.py:app"))
        #expect(try folders("app.py") != folders("app.py:other"))
    }

    @Test func `what an old run has left behind is removed by the next`() throws {
        let old = try folders("old.py")
        make(old, daysAgo: 30)
        _ = try folders("app.py")
        #expect(!exists(old.runtime) && !exists(old.state))
    }

    @Test func `a recent run's folders stay, and those of processes that may live`() throws {
        let recent = try folders("recent.py")
        make(recent, daysAgo: 1)
        let alive = try folders("alive.py")
        make(alive, daysAgo: 30, record: "k3f9")
        _ = try folders("app.py")
        #expect(exists(recent.runtime) && exists(recent.state))
        #expect(exists(alive.runtime) && exists(alive.state))
    }

    @Test func `a running balancer's folders stay`() throws {
        let old = try folders("old.py")
        make(old, daysAgo: 30)
        let lock = unsafe open(old.runtime, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        _ = try folders("app.py")
        #expect(exists(old.runtime) && exists(old.state))
    }

    @Test func `the port of the last run is known to the next`() throws {
        let shop = try folders("app.py")
        #expect(shop.lastPort == nil)
        try shop.remember(port: 8083)
        #expect(try folders("app.py").lastPort == 8083)
    }

    /// Records a process of a run.
    private func record(_ process: ProcessInstance, in folders: ProjectFolders) throws {
        try StateDirectory(preparing: folders.state).write(
            ProcessRecord(
                boot: try #require(ProcessIdentity.currentBoot()), balancer: .none,
                runtimeDirectory: folders.runtime, process: process, label: "k3f9abcd",
                incarnation: Incarnation(1), group: "app", generation: 1, fingerprint: "",
                address: .unix(path: "\(folders.runtime)/k3f9abcd.sock"), user: geteuid(),
                onExit: .adopt, stage: .ready))
    }

    @Test func `a run whose processes have all ended leaves nothing to be kept`() throws {
        let old = try folders("old.py")
        make(old, daysAgo: 30)
        try record(ProcessInstance(pid: getpid(), startTime: 1), in: old)
        setTimes(of: old, daysAgo: 30)
        _ = try folders("app.py")
        #expect(!exists(old.runtime) && !exists(old.state))
    }

    @Test func `the processes of another run in the folder are found when its balancer is gone`()
        throws
    {
        let (own, other) = (try folders("app.py"), try folders("app:create_app('prod')"))
        make(other, daysAgo: 0)
        try record(ProcessIdentity.ofThisProgram(), in: other)
        try other.remember(.python("app:create_app('prod')"))
        func left() -> [ProjectFolders.Left] {
            ProjectFolders.left(in: "/srv/shop", besides: own.state, environment: environment)
        }
        #expect(
            left() == [.init(application: "\"app:create_app('prod')\"", pids: [getpid()])])
        let lock = unsafe open(other.runtime, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        #expect(left().isEmpty)
    }

    @Test func `what was run is kept as a shell reads it`() throws {
        for (application, expected) in [
            (RunRequest.Application.python("app.py"), "app.py"),
            (.python("app:create_app('prod')"), "\"app:create_app('prod')\""),
            (.command(["node", "my server.js", "--x=$A"]), "-- node 'my server.js' '--x=$A'"),
        ] {
            let shop = try folders("app.py")
            try shop.remember(application)
            let kept = try String(contentsOfFile: "\(shop.state)/application", encoding: .utf8)
            #expect(kept == expected)
        }
    }
}
