internal import Backends
internal import Testing

@testable internal import Serving

@Suite struct DeveloperRunTests {
    private let process = ProcessHandle(index: 0, serial: 1)

    private var failure: RegistryEvent {
        .startFailed(
            process, ExitReport(reason: "no module named shop"), failuresInARow: 1,
            backoff: .seconds(1))
    }

    @Test func `an application that never started ends the program with the reason`() {
        let run = DeveloperRun(folder: "/srv/shop", reloads: false)
        #expect(run.reasonToEnd(after: failure)?.contains("no module named shop") == true)
    }

    @Test func `one that has served is started again`() {
        let run = DeveloperRun(folder: "/srv/shop", reloads: false)
        #expect(run.reasonToEnd(after: .ready(process, after: .seconds(1))) == nil)
        #expect(run.reasonToEnd(after: failure) == nil)
    }

    @Test func `a program at a port that is taken gets a hint about PORT`() {
        let report = ExitReport(
            reason: "exited with status 1",
            output: ["Traceback", "OSError: [Errno 98] Address already in use"])
        let reason = DeveloperRun(folder: "/srv/shop", reloads: false).reasonToEnd(
            after: .startFailed(process, report, failuresInARow: 1, backoff: .seconds(1)))
        #expect(reason?.contains("in the variable PORT") == true)
    }

    @Test func `with reloads the next change may mend it`() {
        let run = DeveloperRun(folder: "/srv/shop", reloads: true)
        #expect(run.reasonToEnd(after: failure) == nil)
    }

    @Test(arguments: ["app.py", "main.GO", "Procfile", "conf.toml", "a.b.js"])
    func `a source file starts a new generation`(_ name: String) {
        #expect(SourceFiles.isSource(name))
    }

    @Test(arguments: [
        "db.sqlite3", "app.pyc", "app.log", ".#app.py", "app.py~", "app", "py", "core.1234",
        "page.html", "site.css", "mail.j2",
    ])
    func `what an application or an editor writes does not, nor do templates and styles`(
        _ name: String
    ) {
        #expect(!SourceFiles.isSource(name))
    }
}
