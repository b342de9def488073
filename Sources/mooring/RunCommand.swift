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
            <app> is a WSGI file with an `application`, or `package.module:name`. A command gets
            its address by {socket} or {port} in an argument, or by the environment variables
            MOORING_SOCKET or PORT.
            """)

    @Argument(help: "The application.")
    var app: String?
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
    @Flag(help: "Start a new generation when a source file in this folder changes.")
    var reload = false

    func validate() throws {
        guard app == nil || command.isEmpty else {
            throw ValidationError("Give an application, or a command after --, not both.")
        }
        guard app != nil || !command.isEmpty else {
            throw ValidationError(
                "Nothing to run: give an application (mooring run app.wsgi), or a command after --"
                    + " (mooring run -- ./app --uds {socket}).")
        }
    }

    func run() throws {
        Supervisor.blockSignals()
        let folder = ConfigurationLoading.currentFolder
        try finish(
            try Composition.serve(
                try RunPlan.configuration(of: request, in: folder),
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
