internal import AdminAPI
internal import ArgumentParser
internal import Glibc
internal import Serving

/// `mooring status`: the running balancer as a table.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the groups and processes of a running balancer.",
        usage: "mooring status [options]")

    @OptionGroup var location: AdminLocation
    @Flag(help: "Print the admin API's JSON unchanged.")
    var json = false
    @Flag(help: "Refresh every 2 seconds until interrupted.")
    var watch = false

    private static let pauseMicroseconds: UInt32 = 2_000_000

    func run() throws {
        let client = try location.client()
        var hasSucceeded = false
        repeat {
            do {
                let text = try show(client)
                if watch && Terminal.isInteractive && !json { Terminal.write("\u{1B}[H\u{1B}[2J") }
                Terminal.write(text)
                hasSucceeded = true
            } catch let failure as CommandFailure where watch && hasSucceeded {
                // It may be restarting; with --watch the user wants to see it come back.
                Terminal.complain(failure.message)
            }
            if watch { usleep(Self.pauseMicroseconds) }
        } while watch
    }

    private func show(_ client: AdminClient) throws -> String {
        if json { return String(decoding: try client.get("/stats"), as: UTF8.self) + "\n" }
        return StatusTable(try client.stats()).text
    }
}
