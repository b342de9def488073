/// The probable intention of `mooring run` with something that is not a Python application.
enum RunHint {
    /// Interpreters by the file name extension of what they run.
    private static let interpreters = [
        "js": "node", "mjs": "node", "cjs": "node", "ts": "node", "rb": "ruby",
        "php": "php -S 127.0.0.1:{port}",
        "pl": "perl", "sh": "sh",
    ]
    /// Server programs whose names are mistaken for applications.
    private static let programs: Set<Substring> = [
        "bun", "daphne", "deno", "flask", "gunicorn", "hypercorn", "java", "node", "npm", "php",
        "python", "python3", "ruby", "sh", "streamlit", "uvicorn", "waitress-serve",
    ]

    /// The intended command; nil: it may be an application.
    ///
    /// - Parameter words: the arguments after it.
    static func command(_ app: String, _ words: [String]) -> String? {
        let name = app.split(separator: "/").last ?? ""
        if programs.contains(name) {
            let address = name == "uvicorn" ? ["--uds", "{socket}"] : []
            return ([app] + words + address).joined(separator: " ")
        }
        guard let dot = name.lastIndex(of: "."), !app.contains(":"),
            let interpreter = interpreters[String(name[name.index(after: dot)...])]
        else { return nil }
        return ([interpreter, app] + words).joined(separator: " ")
    }
}
