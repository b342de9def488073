internal import ArgumentParser
internal import Serving
internal import Supervision

/// `mooring serve`: the balancer in the foreground.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the balancer in the foreground.",
        discussion: """
            SIGTERM and SIGINT finish the requests in flight, stop the processes and end the \
            program; a second one ends it at once. SIGHUP reloads the configuration, \
            SIGUSR1 reopens the log files. SIGUSR2 ends the program and leaves its processes for \
            the next one, as --takeover does.
            """)

    @OptionGroup var configurationFile: ConfigurationFile

    @Flag(
        help: ArgumentHelp(
            "Take the place of the balancer that runs with the same configuration; no request is"
                + " refused meanwhile."))
    var takeover = false

    func run() throws {
        let config = configurationFile.path
        // Before any other thread exists, since threads inherit what is blocked.
        Supervisor.blockSignals()
        try ConfigurationLoading.startLog(as: config)
        let configuration = try ConfigurationLoading.file(config)
        try finish(
            try Composition.serve(configuration, file: config, takesOver: takeover))
    }
}
