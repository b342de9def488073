internal import Glibc
internal import Settings
internal import Testing

@testable internal import Supervision

@Suite struct LaunchCheckTests {
    private func spec(_ command: [String], directory: String = "/", path: String = "/usr/bin:/bin")
        -> LaunchSpec
    {
        LaunchSpec(
            command: command, directory: directory, environment: ["PATH": path], threads: 1,
            multiprocess: false, groupName: "app")
    }

    @Test func `a program on the path has no fault`() {
        #expect(LaunchCheck.faults(of: spec(["sleep", "1"]), serving: nil) == [])
    }

    @Test func `a program that is nowhere is one fault`() {
        let faults = LaunchCheck.faults(of: spec(["nosuchprogram"]), serving: nil)
        #expect(faults.map(\.subject) == [.program])
        #expect(faults.first?.sentence.contains("is not on the PATH /usr/bin:/bin; ") == true)
    }

    @Test func `a folder that is not there is the only fault`() {
        let faults = LaunchCheck.faults(
            of: spec(["./app"], directory: "/nowhere"), serving: nil)
        #expect(faults.map(\.subject) == [.directory])
    }

    @Test func `a limit that cannot be set is a fault of that limit`() {
        var launch = spec(["sleep", "1"])
        launch.isolation.limits = [ResourceLimit(.nofile, 1 << 40)]
        let faults = LaunchCheck.faults(of: launch, serving: nil)
        #expect(faults.map(\.subject) == [.limit("nofile")], "\(faults)")
    }

    @Test func `a short program ends with its status and lines`() throws {
        let outcome = try TrialRun.run(
            ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"], like: spec(["x"]),
            patience: 10_000_000_000)
        #expect(outcome.status == .exited(status: 3))
        #expect(outcome.output == ["out"] && outcome.errors == ["err"])
    }

    @Test func `a program that does not end is killed`() throws {
        let outcome = try TrialRun.run(
            ["/bin/sleep", "60"], like: spec(["x"]), patience: 50_000_000)
        #expect(outcome.status.signal == SIGKILL)
    }
}
