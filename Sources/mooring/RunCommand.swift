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
            <app> is a WSGI file with an `application`, or `package.module:name`. A command gets \
            its address by {socket} or {port} in an argument, or by the environment variables \
            MOORING_SOCKET or PORT.
            """)

    @Argument(help: "The application.")
    var app: String?
    // What stands behind the application is no part of it; no list may stand before the command's.
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
            "Where to serve; may be given several times.", valueName: "host:port or unix:path"))
    var listen: [String] = []
    @Option(
        help: ArgumentHelp(
            "How many processes; with MIN..MAX those above MIN come and go.",
            valueName: "n or min..max"))
    var processes: String?
    @Option(help: ArgumentHelp("Requests at once per process.", valueName: "n"))
    var threads: Int?
    @Option(
        help: ArgumentHelp("The interpreter of a WSGI application.", valueName: "program"))
    var python: String?
    @Option(
        help: ArgumentHelp(
            "A variable of the processes; a name alone hands over your own.",
            valueName: "name=value"))
    var env: [String] = []
    @Flag(
        help: ArgumentHelp(
            "Start a new generation when a source file in this folder changes; templates, styles"
                + " and what is below static or public do not count."))
    var reload = false
    // What other programs call it: the answer names ours.
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
                "\(app) is no WSGI application. A program stands behind --: mooring run -- \(program)"
            )
        }
        try refuseForeignOptions()
        guard surplus.isEmpty else {
            throw ValidationError(
                "One application is enough: \(surplus.joined(separator: " ")) is too much. A program"
                    + " with arguments stands behind --: mooring run -- ./program --uds {socket}")
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
                "Where to serve is said by --listen \(host ?? "127.0.0.1"):\(port ?? "8080").")
        }
        if let workers {
            throw ValidationError(
                "How many processes there are is said by --processes \(workers).")
        }
        if let server {
            throw ValidationError(
                "The first of granian, gunicorn and waitress serves that is installed for --python. To"
                    + " name one, write server = \"\(server)\" into a group of a configuration file"
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
        var request = RunRequest(app.map { .wsgi($0) } ?? .command(command))
        request.listen = listen
        request.processes = processes
        request.threads = threads
        request.python = python
        // Two versions of one second and size would be the same to compiled copies.
        request.environment = (reload ? ["PYTHONDONTWRITEBYTECODE=1"] : []) + env
        request.replacesAtOnce = reload
        return request
    }
}
