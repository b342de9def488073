internal import ArgumentParser
internal import Supervision

/// `mooring serve`: the balancer in the foreground.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the balancer in the foreground.",
        discussion: """
            SIGTERM and SIGINT finish the requests in flight, stop the processes and end the
            program; a second SIGINT ends it at once. SIGUSR1 opens the log files anew.
            """)

    @Option(
        name: [.customShort("c"), .customLong("config")], help: "The configuration file.")
    var config = ConfigurationLoading.defaultFile

    func run() throws {
        // Before any other thread exists, since threads inherit what is blocked.
        Supervisor.blockSignals()
        try finish(try Composition.serve(try ConfigurationLoading.file(config)))
    }
}
