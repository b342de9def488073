internal import ConfigFile
internal import Reactor

/// The folders of routes to files, opened at the start and at a reload.
struct FileFolders: Sendable {
    /// In the order of the configuration's routes; nil: the route leads to a group.
    let routes: [ServedFolder?]

    /// - Parameter problems: receives those of folders that cannot be opened.
    init(_ configuration: Configuration, problems: inout [Problem]) {
        routes = configuration.routes.map { route in
            guard let files = route.files else { return nil }
            do throws(SystemError) {
                return try ServedFolder(files.path)
            } catch {
                problems.append(
                    files.place.problem(
                        "\(files.path) cannot be served: \(SystemError.message(error.errno)); needs a"
                            + " folder in which Mooring may look up names"))
                return nil
            }
        }
    }

    static func problems(in configuration: Configuration) -> [Problem] {
        var problems: [Problem] = []
        _ = FileFolders(configuration, problems: &problems)
        return problems
    }
}
