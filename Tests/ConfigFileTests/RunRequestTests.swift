internal import Backends
internal import ConfigFile
internal import Testing

@Suite struct RunRequestTests {
    func result(_ request: RunRequest) -> Result<Configuration, ConfigurationProblems> {
        ConfigurationReader.read(
            request, folder: "/srv/app", environment: ["HOME": "/h"], isRoot: false)
    }

    /// The output in error pages, seen by the developer alone.
    func developers(_ text: String) throws -> Configuration {
        var configuration = try read(text, environment: ["HOME": "/h"])
        configuration.showsOutput = true
        return configuration
    }

    @Test func `an application alone is served with the defaults`() throws {
        let configuration = try result(RunRequest(.python("app.wsgi"))).get()
        #expect(try configuration == developers("[group.app]\nwsgi = \"app.wsgi\""))
    }

    @Test func `one of ASGI is served as such`() throws {
        var request = RunRequest(.python("app:app"))
        request.interface = .asgi
        let configuration = try result(request).get()
        #expect(try configuration == developers("[group.app]\nasgi = \"app:app\""))
    }

    @Test func `the options stand for keys`() throws {
        var request = RunRequest(.command(["./app", "{socket}"]))
        request.listen = ["127.0.0.1:9000"]
        request.processes = "0..4"
        request.threads = 5
        let configuration = try result(request).get()
        let text = """
            [[listen]]
            address = "127.0.0.1:9000"
            [group.app]
            command = ["./app", "{socket}"]
            processes = { min = 0, max = 4 }
            threads = 5
            """
        #expect(try configuration == developers(text))
    }

    @Test func `the interpreter and the variables stand for keys`() throws {
        var request = RunRequest(.python("app.wsgi"))
        request.python = "python3.12"
        request.environment = ["A=1", "B=x=y", "DATABASE_URL", "A=2"]
        request.stateDirectory = "/s"
        request.runtimeDirectory = "/r"
        request.cookie = "mooring-8081"
        request.replacesAtOnce = true
        let configuration = try result(request).get()
        let text = """
            state_dir = "/s"
            runtime_dir = "/r"
            [affinity]
            cookie = "mooring-8081"
            [group.app]
            wsgi = "app.wsgi"
            python = "python3.12"
            drain_timeout = "0"
            pass_env = ["DATABASE_URL"]
            env = { A = "2", B = "x=y" }
            """
        #expect(try configuration == developers(text))
    }

    @Test(arguments: ["1A=x", "A-B=x", "MOORING_GROUP=x", "=x", "A B"])
    func `a wrong variable is reported under the option's name`(text: String) {
        var request = RunRequest(.python("app.wsgi"))
        request.environment = [text]
        switch result(request) {
        case .success: Issue.record("\(text) is taken")
        case .failure(let found):
            #expect(found.problems.map(\.key) == ["--env"], "\(found)")
        }
    }

    @Test func `a number of processes counts as given`() throws {
        var request = RunRequest(.python("app.wsgi"))
        request.processes = "1"
        let group = try #require(try result(request).get().groups.first)
        #expect(group.launch?.processesGiven == true)
    }

    @Test(arguments: ["", "x", "0", "-1", "1..", "..2", "3..2", "1...2", "99999999999999999999"])
    func `wrong processes are reported under the option's name`(text: String) {
        var request = RunRequest(.python("app.wsgi"))
        request.processes = text
        switch result(request) {
        case .success: Issue.record("\(text) is taken")
        case .failure(let found):
            #expect(
                found.problems.allSatisfy { $0.description.hasPrefix("--processes: ") }, "\(found)")
        }
    }

    @Test func `all wrong options are reported together`() {
        var request = RunRequest(.command(["./app", "{sokcet}"]))
        request.listen = ["*:80"]
        request.threads = 0
        switch result(request) {
        case .success: Issue.record("it is taken")
        case .failure(let found):
            let keys = Set(found.problems.map(\.key))
            #expect(keys == ["--listen", "--threads", "COMMAND"], "\(found)")
        }
    }
}
