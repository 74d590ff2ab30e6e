// Finds weights, themes, samples and recipes at run time.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where the program's own data are looked for. The order, first hit wins:
///
/// 1. for weights, the folder given by `--models`: then nothing else is looked at;
/// 2. the folder given by `--data-dir`, then the one named by `WORKBENCH_HOME`;
/// 3. the user's folder, `$XDG_DATA_HOME/workbench` (default `~/.local/share/workbench`), and for
///    themes `$XDG_CONFIG_HOME/workbench/themes` (default `~/.config`) before it;
/// 4. `../share/workbench` beside the resolved executable;
/// 5. a source checkout: the nearest folder with `Package.swift` and `weights`, upwards from the
///    executable, then from the working folder;
/// 6. a prefix given at build time.
///
/// A folder named by an option or the environment must exist; there is no silent fall-through.
public struct AssetLocator: Sendable {
    /// What is looked for; also the name of its folder.
    public enum Kind: String, Sendable, CaseIterable {
        case weights, themes, samples, recipes
    }

    /// Why a place is looked at.
    public enum Origin: String, Sendable, CaseIterable {
        case modelsOption = "--models"
        case dataOption = "--data-dir"
        case environment = "WORKBENCH_HOME"
        case userThemes = "user's themes"
        case user = "user's folder"
        case installation = "beside the program"
        case checkout = "source checkout"
        case prefix = "build prefix"
    }

    /// One folder looked at.
    public struct Place: Sendable, Equatable {
        public let origin: Origin
        public let path: String
        public let exists: Bool
    }

    /// Everything the search depends on.
    public struct Surroundings: Sendable {
        public var modelsDirectory: String?
        public var dataDirectory: String?
        public var environment: [String: String]
        /// Links resolved.
        public var executable: String
        public var workingDirectory: String
        public var buildPrefix: String?

        public init(
            modelsDirectory: String? = nil, dataDirectory: String? = nil,
            environment: [String: String], executable: String, workingDirectory: String,
            buildPrefix: String? = nil
        ) {
            self.modelsDirectory = modelsDirectory
            self.dataDirectory = dataDirectory
            self.environment = environment
            self.executable = executable
            self.workingDirectory = workingDirectory
            self.buildPrefix = buildPrefix
        }

        /// Those of this process, with the options given.
        public static func process(
            modelsDirectory: String? = nil, dataDirectory: String? = nil
        ) -> Surroundings {
            let files = FileManager.default
            let link = try? files.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return Surroundings(
                modelsDirectory: modelsDirectory, dataDirectory: dataDirectory,
                environment: ProcessInfo.processInfo.environment,
                executable: link ?? CommandLine.arguments.first ?? "",
                workingDirectory: files.currentDirectoryPath)
        }
    }

    private let modelsDirectory: String?
    private let roots: [(origin: Origin, path: String)]
    private let userThemes: String?

    /// Works out the places.
    ///
    /// - Throws: ``AssetError/folderMissing(origin:path:)`` for a named folder that does not exist.
    public init(_ surroundings: Surroundings) throws(AssetError) {
        let environment = surroundings.environment
        func named(_ path: String?, _ origin: Origin) throws(AssetError) -> String? {
            guard let path, !path.isEmpty else { return nil }
            let full = Self.absolute(path, in: surroundings.workingDirectory)
            guard Self.isFolder(full) else { throw .folderMissing(origin: origin, path: path) }
            return full
        }
        var roots: [(origin: Origin, path: String)] = []
        modelsDirectory = try named(surroundings.modelsDirectory, .modelsOption)
        if let path = try named(surroundings.dataDirectory, .dataOption) {
            roots.append((.dataOption, path))
        }
        if let path = try named(environment["WORKBENCH_HOME"], .environment) {
            roots.append((.environment, path))
        }
        if let path = Self.userFolder("XDG_DATA_HOME", ".local/share", environment) {
            roots.append((.user, path))
        }
        let programFolder = Self.parent(surroundings.executable)
        roots.append((.installation, Self.parent(programFolder) + "/share/workbench"))
        for start in [programFolder, surroundings.workingDirectory] {
            if let path = Self.checkout(above: start) {
                if !roots.contains(where: { $0.path == path }) { roots.append((.checkout, path)) }
                break
            }
        }
        if let prefix = surroundings.buildPrefix {
            roots.append((.prefix, prefix + "/share/workbench"))
        }
        self.roots = roots
        userThemes = Self.userFolder("XDG_CONFIG_HOME", ".config", environment).map {
            $0 + "/themes"
        }
    }

    /// The folders looked at for one kind, in order, whether they exist or not.
    public func places(for kind: Kind) -> [Place] {
        func place(_ origin: Origin, _ path: String) -> Place {
            Place(origin: origin, path: path, exists: Self.isFolder(path))
        }
        if kind == .weights, let modelsDirectory { return [place(.modelsOption, modelsDirectory)] }
        var places: [Place] = []
        for (origin, path) in roots {
            if kind == .themes, origin == .user, let userThemes {
                places.append(place(.userThemes, userThemes))
            }
            places.append(place(origin, path + "/" + kind.rawValue))
        }
        return places
    }

    /// The folders that exist for one kind, in order.
    public func folders(for kind: Kind) -> [String] {
        places(for: kind).filter(\.exists).map(\.path)
    }

    /// The first file or folder with a relative path under the places of a kind.
    ///
    /// - Throws: ``AssetError/notFound(kind:name:places:)`` with the places looked at.
    public func locate(_ name: String, kind: Kind) throws(AssetError) -> String {
        for place in places(for: kind) where place.exists {
            let path = place.path + "/" + name
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        throw .notFound(kind: kind, name: name, places: places(for: kind).map(\.path))
    }

    /// The listing of `workbench paths`: every place, `*` the first that exists, `+` the others
    /// that exist, `-` those that do not.
    public func listing() -> String {
        var lines: [String] = []
        for kind in Kind.allCases {
            lines.append("\(kind.rawValue):")
            var isFirst = true
            for place in places(for: kind) {
                let mark = place.exists ? (isFirst ? "*" : "+") : "-"
                if place.exists { isFirst = false }
                lines.append("  \(mark) \(place.path)  (\(place.origin.rawValue))")
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func userFolder(
        _ variable: String, _ fallback: String, _ environment: [String: String]
    ) -> String? {
        // The XDG rules say that a relative path is to be ignored.
        if let path = environment[variable], path.hasPrefix("/") { return path + "/workbench" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/" + fallback + "/workbench"
    }

    private static func checkout(above start: String) -> String? {
        var folder = start
        while !folder.isEmpty {
            if FileManager.default.fileExists(atPath: folder + "/Package.swift"),
                isFolder(folder + "/weights")
            {
                return folder
            }
            folder = parent(folder)
        }
        return nil
    }

    private static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    private static func absolute(_ path: String, in folder: String) -> String {
        if path.hasPrefix("/") { return path }
        return folder + "/" + path
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }
}
