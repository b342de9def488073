/// The version of this program, as `--version` and the admin API tell it.
enum Version {
    static let current = "0.1.0"
}
