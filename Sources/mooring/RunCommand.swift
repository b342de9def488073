internal import ArgumentParser
internal import ConfigFile
internal import Serving
internal import Supervision

/// `mooring run`: an application without a configuration file.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Serves one application without a configuration file.",
        usage: """
            mooring run [options] <app>
            mooring run [options] -- <command> ...
            """,
        discussion: """
            <app> is a WSGI or ASGI application: a file with an `application` or `app`, or \
            `package.module:name`. A command gets its address from {socket} or {port} in an \
            argument, or from the environment variables MOORING_SOCKET and PORT.
            """)

    @Argument(help: "The application.")
    var app: String?
    // Arguments after the application belong to it, so a list must not precede the subcommand.
    @Argument(help: .hidden)
    var second: String?
    @Argument(help: .hidden)
    var third: String?
    @Argument(help: .hidden)
    var fourth: String?
    @Argument(parsing: .postTerminator, help: ArgumentHelp("The command and its arguments."))
    var command: [String] = []
    @Option(
        help: ArgumentHelp(
            "The address to listen on; may be repeated.", valueName: "host:port or unix:path"))
    var listen: [String] = []
    @Option(
        help: ArgumentHelp(
            "The number of processes; with MIN..MAX, those above MIN are started on demand.",
            valueName: "n or min..max"))
    var processes: String?
    @Option(help: ArgumentHelp("Concurrent requests per process.", valueName: "n"))
    var threads: Int?
    @Option(
        help: ArgumentHelp("The interpreter of the application.", valueName: "program"))
    var python: String?
    @Option(
        help: ArgumentHelp(
            "An environment variable for the processes; a name alone passes on your own value.",
            valueName: "name=value"))
    var env: [String] = []
    @Flag(
        help: ArgumentHelp(
            "Start a new generation when a source file in this folder changes; templates, styles"
                + " and files below static or public do not count."))
    var reload = false
    // The name that other programs use for it; the error message names ours.
    @Option(help: .hidden)
    var port: String?
    @Option(help: .hidden)
    var host: String?
    @Option(help: .hidden)
    var workers: String?
    @Option(help: .hidden)
    var server: String?

    private var surplus: [String] { [second, third, fourth].compactMap(\.self) }

    func validate() throws {
        if let app, let program = RunHint.command(app, surplus) {
            throw ValidationError(
                "\(app) is not a Python application. Put a program after --: mooring run -- \(program)"
            )
        }
        try refuseForeignOptions()
        guard surplus.isEmpty else {
            throw ValidationError(
                "One application is enough: \(surplus.joined(separator: " ")) is too much. Put a program"
                    + " with arguments after --: mooring run -- ./program --uds {socket}")
        }
        guard app == nil || command.isEmpty else {
            throw ValidationError("Give an application, or a command after --, not both.")
        }
        guard app != nil || !command.isEmpty else {
            throw ValidationError(
                "Nothing to run: give an application (mooring run app.wsgi), or a command after --"
                    + " (mooring run -- ./app --uds {socket}).")
        }
    }

    private func refuseForeignOptions() throws {
        if port != nil || host != nil {
            throw ValidationError(
                "Set the address with --listen \(host ?? "127.0.0.1"):\(port ?? "8080").")
        }
        if let workers {
            throw ValidationError(
                "Set the number of processes with --processes \(workers).")
        }
        if let server {
            throw ValidationError(
                "The first of granian, gunicorn and waitress serves that is installed for --python, for"
                    + " ASGI of uvicorn, granian and hypercorn. To name one, write server = \"\(server)\" into a group of a configuration file"
                    + " and start it by mooring serve.")
        }
    }

    func run() throws {
        for name in env where !name.contains("=") && ConfigurationLoading.lacks(variable: name) {
            Terminal.complain("--env \(name): it is not set here, so no process gets it")
        }
        Supervisor.blockSignals()
        let folder = ConfigurationLoading.currentFolder
        let configuration = try RunPlan.configuration(of: request, in: folder)
        let left = RunPlan.leftBehind(in: folder, besides: configuration.stateDirectory)
        for sentence in left { Terminal.complain(sentence) }
        try finish(
            try Composition.serve(
                configuration,
                developer: DeveloperRun(folder: folder, reloads: reload)))
    }

    private var request: RunRequest {
        var request = RunRequest(app.map { .python($0) } ?? .command(command))
        request.listen = listen
        request.processes = processes
        request.threads = threads
        request.python = python
        // Two versions with the same second and size would look equal to compiled copies. Set without
        // --reload too: the processes of an earlier run are adopted whether it had the option or not.
        request.environment = ["PYTHONDONTWRITEBYTECODE=1"] + env
        request.replacesAtOnce = reload
        return request
    }
}
