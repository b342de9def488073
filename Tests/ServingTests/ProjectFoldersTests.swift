internal import ConfigFile
internal import Glibc
internal import Testing

@testable internal import Serving

@Suite struct ProjectFoldersTests {
    private let folder = TemporaryFolder()

    private func folders(_ application: String) throws -> ProjectFolders {
        try ProjectFolders.free(
            for: .wsgi(application), in: "/srv/shop",
            environment: [
                "RUNTIME_DIRECTORY": "\(folder.path)/r", "STATE_DIRECTORY": "\(folder.path)/s",
            ])
    }

    /// Makes the folders as a run leaves them behind, days ago.
    private func make(_ folders: ProjectFolders, daysAgo: Int, record: String? = nil) {
        let records = "\(folders.state)/processes"
        for path in [folders.runtime, folders.state, records] { unsafe mkdir(path, 0o700) }
        if let record { unsafe mkdir("\(records)/\(record)", 0o700) }
        let then = timespec(tv_sec: time(nil) - daysAgo * 24 * 3600, tv_nsec: 0)
        for path in [folders.runtime, folders.state, records] {
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
}
