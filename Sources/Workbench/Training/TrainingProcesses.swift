// Trainings as processes of their own. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Starts `workbench train` in a session of its own and follows run folders.
///
/// A training outlives this program, its terminal and the connection to it: it shares neither
/// terminal nor process group, and its words go to `log.txt` in its folder.
final class TrainingProcesses: TrainingSupervising, @unchecked Sendable {
    private let recipeFolders: [String]
    private let runsFolder: String
    private let program: String
    /// Options that every training gets, `--threads 2`.
    private let options: [String]
    private let lock = NSLock()
    /// Processes started here and not yet waited for, by run folder.
    private var children: [String: pid_t] = [:]
    /// How those that ended did so.
    private var statuses: [String: Int32] = [:]

    /// - Parameters:
    ///   - recipeFolders: where recipes are looked for.
    ///   - runsFolder: where runs are kept; those found there are listed.
    ///   - program: the executable; this one when left out.
    init(
        recipeFolders: [String], runsFolder: String, program: String? = nil, options: [String] = []
    ) {
        self.recipeFolders = recipeFolders
        self.runsFolder = runsFolder
        self.options = options
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        self.program = program ?? link ?? CommandLine.arguments.first ?? "workbench"
    }

    func recipes() -> [RecipeEntry] {
        RecipeCatalog.recipes(in: recipeFolders).map { entry in
            var entry = entry
            entry.runFolder = Self.absolute(runsFolder) + "/" + entry.name
            return entry
        }
    }

    func runs() -> [String] {
        // Absolute, as the recipes' run folders are: one run has one name.
        let runsFolder = Self.absolute(runsFolder)
        guard let names = FileManager.default.enumerator(atPath: runsFolder) else { return [] }
        var found: [(path: String, date: Date)] = []
        for case let name as String in names {
            // Runs lie one or two folders deep; samples and caches are not looked through.
            if names.level > 3 { names.skipDescendants() }
            guard name.hasSuffix("/status.json") else { continue }
            let path = runsFolder + "/" + name
            let date = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
            found.append(
                (String(path.dropLast("/status.json".count)), date as? Date ?? .distantPast))
        }
        return found.sorted { ($0.date, $1.path) > ($1.date, $0.path) }.map(\.path)
    }

    func start(_ request: TrainingRequest) throws -> String {
        let folder = try prepared(request)
        var arguments = [
            "train", request.recipePath, "--out", folder.path, "--progress", "never",
        ]
        if let data = request.dataFolder { arguments += ["--data", Self.absolute(data)] }
        if let device = request.device { arguments += ["--device", device] }
        if request.resumes ?? hasCheckpoint(folder) { arguments.append("--resume") }
        if let every = request.sampleEvery { arguments += ["--sample-every", "\(every)"] }
        let process = try DetachedProcess.start(
            program, arguments: arguments + options, log: folder.logPath)
        lock.withLock {
            children[folder.path] = process
            statuses[folder.path] = nil
        }
        return folder.path
    }

    /// Checks what can be checked before a process starts, so that the answer comes at once.
    private func prepared(_ request: TrainingRequest) throws -> TrainingFolder {
        guard FileManager.default.fileExists(atPath: request.recipePath) else {
            throw InputError("\(request.recipePath): the recipe is not there any more.")
        }
        if let data = request.dataFolder {
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(
                atPath: Self.absolute(data), isDirectory: &isFolder)
            guard exists, isFolder.boolValue else {
                throw InputError("\(data): there is no such data folder; type another (d).")
            }
        }
        let folder = TrainingFolder(Self.absolute(request.outFolder))
        if folder.isHeld { throw TrainingFolderError.held(folder: request.outFolder) }
        if request.resumes == true, !hasCheckpoint(folder) {
            throw InputError("\(request.outFolder): there is no checkpoint to go on from.")
        }
        if request.resumes == false, hasCheckpoint(folder) {
            throw InputError(
                "\(request.outFolder): this run has a checkpoint already; resume it, or type another "
                    + "folder (o).")
        }
        _ = try RunFolder(path: folder.path)
        return folder
    }

    private func hasCheckpoint(_ folder: TrainingFolder) -> Bool {
        FileManager.default.fileExists(atPath: folder.checkpointPath)
    }

    func send(_ command: TrainingCommand, to folder: String) throws {
        let folder = TrainingFolder(folder)
        guard folder.isHeld || isAlive(folder.path) else {
            throw TrainingFolderError.notRunning(folder: folder.path)
        }
        try folder.post(command)
    }

    func read(_ reader: inout TrainingFolderReader) -> TrainingNews {
        let path = reader.folder.path
        let isAlive = isAlive(path)
        var news = reader.read()
        let (child, end) = lock.withLock { (children[path], statuses[path]) }
        if isAlive, news.status?.process != child || news.status?.phase.isActive != true {
            // The process has not come to say anything yet.
            news.status = TrainingStatus(name: "", system: "", recipe: "", process: child ?? 0)
            return news
        }
        let saysNothing = news.status == nil || news.status?.phase == .lost
        guard saysNothing, end != nil || news.status != nil else { return news }
        var status = news.status ?? TrainingStatus(name: "", system: "", recipe: "")
        let words = reader.folder.logTail().joined(separator: " ")
        status.phase = words.isEmpty || end.map({ $0 > 128 }) == true ? .lost : .failed
        if let end, end > 128 {
            status.problem =
                "The process was ended by signal \(end - 128)"
                + (words.isEmpty ? "." : "; its last words: \(words)")
        } else if !words.isEmpty {
            status.problem = words
        }
        news.status = status
        return news
    }

    /// Whether a process started here for a folder lives; one that ended is waited for.
    private func isAlive(_ folder: String) -> Bool {
        lock.withLock {
            guard let process = children[folder] else { return false }
            var status: Int32 = 0
            guard waitpid(process, &status, WNOHANG) != 0 else { return true }
            children[folder] = nil
            let signal = status & 0x7F
            statuses[folder] = signal != 0 ? 128 + signal : status >> 8 & 0xFF
            return false
        }
    }

    private static func absolute(_ path: String) -> String {
        let path = HomeFolder.expandingTilde(path)
        return path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

/// A process that goes on when its parent ends.
enum DetachedProcess {
    /// Starts a program in a session of its own, below the priority of interactive work.
    ///
    /// - Parameter log: takes its standard output and standard error; emptied first.
    /// - Throws: `InputError` with the reason.
    static func start(_ program: String, arguments: [String], log: String) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID; the header's macro is not imported.
        posix_spawnattr_setflags(&attributes, 0x80)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        // Nothing of this program's stays open; closing what is not open does no harm.
        for descriptor in Int32(3)..<256 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, program, &actions, &attributes, &words, environ)
        guard status == 0 else {
            throw InputError(
                "\(program): the training cannot be started (\(String(cString: strerror(status)))); "
                    + "its log would be \(log).")
        }
        setpriority(Int32(PRIO_PROCESS.rawValue), id_t(process), 10)
        return process
    }
}
