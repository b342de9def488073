internal import Settings
internal import Testing

@testable internal import Supervision

@Suite struct LaunchSpecTests {
    private func spec(_ command: [String], environment: [String: String] = [:]) -> LaunchSpec {
        LaunchSpec(
            command: command, directory: "/srv", environment: environment, threads: 10,
            multiprocess: true, groupName: "django")
    }

    @Test func `placeholders are filled in, other braces stay`() {
        let arguments = spec([
            "./app", "--uds={socket}", "{threads}/{group}/{process}", "{x}{", "}",
        ])
        .arguments(ListeningEndpoint(socket: "/run/a.sock"), label: "k3f9abcd")
        #expect(
            arguments == ["./app", "--uds=/run/a.sock", "10/django/k3f9abcd", "{x}{", "}"])
    }

    @Test func `a value with braces is not filled in again`() {
        var spec = spec(["{group}{{threads}"])
        spec.groupName = "{threads}"
        #expect(spec.arguments(ListeningEndpoint(port: 1), label: "x") == ["{threads}{10"])
    }

    @Test func `a port is used where only a port is asked for`() {
        #expect(spec(["app", "--port", "{port}"]).listening == .port)
        #expect(spec(["app", "{socket}"]).listening == .socket)
        #expect(spec(["app", "{port}", "{socket}"]).listening == .socket)
    }

    @Test func `a program that names no place may choose one`() {
        #expect(spec(["app"]).listening == .either)
        let entries = spec(["app"])
            .environmentEntries(ListeningEndpoint(socket: "/s", port: 8123), label: "x")
        for entry in ["MOORING_SOCKET=/s", "PORT=8123", "HOST=127.0.0.1"] {
            #expect(entries.contains(entry))
        }
        let own = spec(["app"], environment: ["HOST": "::1"])
            .environmentEntries(ListeningEndpoint(socket: "/s", port: 8123), label: "x")
        #expect(own.filter { $0.hasPrefix("HOST=") } == ["HOST=::1"])
    }

    @Test func `placeholders in the group's variables are filled in, and in no others`() {
        var spec = spec(
            ["app"],
            environment: ["LISTEN": "127.0.0.1:{port}", "PASSED": "{port}", "FORMAT": "{time}"])
        spec.filledVariables = ["LISTEN", "FORMAT"]
        #expect(spec.listening == .port)
        let entries = spec.environmentEntries(ListeningEndpoint(port: 8123), label: "x")
        for entry in ["LISTEN=127.0.0.1:8123", "PASSED={port}", "FORMAT={time}"] {
            #expect(entries.contains(entry))
        }
    }

    @Test func `what Mooring tells a process cannot be overridden`() {
        let entries = spec(["app"], environment: ["MOORING_PROCESS": "forged", "A": "1"])
            .environmentEntries(ListeningEndpoint(socket: "/s"), label: "k3f9abcd")
        #expect(
            entries == [
                "MOORING_PROCESS=k3f9abcd", "MOORING_GROUP=django", "MOORING_THREADS=10",
                "MOORING_MULTIPROCESS=1", "MOORING_SOCKET=/s", "A=1",
            ])
    }

    @Test func `a process with a port gets the port and no socket`() {
        let entries = spec(["app"]).environmentEntries(ListeningEndpoint(port: 8123), label: "x")
        #expect(entries.contains("PORT=8123"))
        #expect(!entries.contains { $0.hasPrefix("MOORING_SOCKET=") })
    }

    @Test func `a WSGI application runs under the host program, unbuffered`() {
        let spec = hosted("wsgi")
        #expect(
            spec.arguments(ListeningEndpoint(socket: "/s"), label: "x") == [
                "python3", "/run/mooring_host.py", "--app", "mysite.web", "--interface", "wsgi",
                "--server", "auto", "--threads", "15",
            ])
        #expect(spec.environment["PYTHONUNBUFFERED"] == "1")
    }

    @Test func `an ASGI application is told how long it has to stop`() {
        let words = hosted("asgi").arguments(ListeningEndpoint(socket: "/s"), label: "x")
        #expect(words.suffix(2) == ["--stop-timeout", "2.5"])
        #expect(words.contains("asgi"))
    }

    private func hosted(_ interface: String) -> LaunchSpec {
        LaunchSpec.hosted(
            .init(name: "mysite.web", interface: interface, server: "auto"), python: "python3",
            hostFile: "/run/mooring_host.py", stopTimeout: .milliseconds(2500), directory: "/srv",
            environment: [:], threads: 15, multiprocess: false, groupName: "django")
    }
}

@Suite struct LaunchEnvironmentTests {
    @Test func `only the base and the named variables go over`() {
        let own = ["PATH": "/bin", "HOME": "/root", "SECRET": "x", "WANTED": "y", "TZ": "UTC"]
        #expect(
            LaunchEnvironment.base(from: own, passing: ["WANTED", "MISSING"])
                == ["PATH": "/bin", "HOME": "/root", "TZ": "UTC", "WANTED": "y"])
    }

    @Test func `there is always a path`() {
        let path = LaunchEnvironment.base(from: [:], passing: [])["PATH"]
        #expect(path == "/usr/local/bin:/usr/bin:/bin")
    }
}
