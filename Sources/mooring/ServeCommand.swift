internal import ArgumentParser
internal import Serving
internal import Supervision

/// `mooring serve`: the balancer in the foreground.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the balancer in the foreground.",
        discussion: """
            SIGTERM and SIGINT finish the requests in flight, stop the processes and exit; a \
            second one exits at once. SIGHUP reloads the configuration, SIGUSR1 reopens the log \
            files. SIGUSR2 exits and leaves the processes to the next balancer, as --takeover does.
            """)

    @OptionGroup var configurationFile: ConfigurationFile

    @Flag(
        help: ArgumentHelp(
            "Take over from the running balancer with the same configuration, without refusing a"
                + " request."))
    var takeover = false

    func run() throws {
        let config = configurationFile.path
        // Before any other thread exists, since threads inherit the signal mask.
        Supervisor.blockSignals()
        try ConfigurationLoading.startLog(as: config)
        let configuration = try ConfigurationLoading.file(config)
        try finish(
            try Composition.serve(configuration, file: config, takesOver: takeover))
    }
}
