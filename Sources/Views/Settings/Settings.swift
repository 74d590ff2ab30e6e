// What a person sets in `config.toml`, and how it is read: a mistake is told and the default kept.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// The settings of the application, from the defaults and a configuration file.
nonisolated public struct Settings: Sendable, Equatable {
    /// What the application is started with.
    public var options = ApplicationOptions()
    /// Seconds that a lone ESC waits for more bytes.
    public var escapeDelay = 0.025
    /// Pixels of a cell, for terminals that do not tell.
    public var cellSize: PixelSize?
    /// Whether the terminal's font has braille patterns; nil asks the environment.
    public var hasBraille: Bool?
    /// The line-by-line dialogue instead of the full screen.
    public var isPlain = false
    /// What was wrong in the file, in its order; the defaults hold in these places.
    public internal(set) var problems: [TOMLError] = []

    public init() {}

    /// Every mistake and every conflict of keys, as sentences.
    public var messages: [String] {
        problems.map(\.description) + options.bindings.conflicts.map(\.description)
    }

    /// Reads a text; nothing in it can stop the program.
    public init(parsing text: String, file: String? = nil) {
        do {
            read(try TOMLTable(parsing: text, file: file))
        } catch {
            problems.append(error)
        }
    }

    /// Reads a file; a missing one means the defaults unless it was asked for by name.
    public init(file path: String, isRequired: Bool = false) {
        guard isRequired || FileManager.default.fileExists(atPath: path) else { return }
        do {
            read(try TOMLTable(contentsOfFile: path))
        } catch {
            problems.append(error)
        }
    }

    /// `$XDG_CONFIG_HOME/workbench/config.toml`, by default under `~/.config`; nil without a home.
    public static func defaultPath(environment: [String: String]) -> String? {
        // The XDG rules say that a relative path is to be ignored.
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") {
            return folder + "/workbench/config.toml"
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/.config/workbench/config.toml"
    }

    private mutating func read(_ table: TOMLTable) {
        for unknown in table.unknownKeys(known: Setting.all.map(\.name) + ["keys"]) {
            problems.append(
                TOMLError(
                    .unknownKey(unknown.path, nearest: unknown.nearest), at: unknown.position,
                    file: table.file))
        }
        for setting in Setting.all where table[setting.name] != nil {
            // Read into a copy: a value that is refused changes nothing.
            var copy = self
            do {
                try setting.apply(table, &copy)
                self = copy
            } catch {
                problems.append(error)
            }
        }
        do {
            if let keys = try table.tableIfPresent("keys") { readKeys(keys) }
        } catch {
            problems.append(error)
        }
        problems.sort { ($0.line, $0.column) < ($1.line, $1.column) }
    }
}

/// One line of the configuration file: its name, its default, what it may be and what it does.
nonisolated struct Setting: Sendable {
    let name: String
    /// The default as TOML; nil where the default is "not set" and the example is only shown.
    let defaultText: String?
    /// A value to show in the commented file where there is no default.
    var example = ""
    /// What it may be.
    let values: String
    /// What it does, one sentence.
    let help: String
    let apply: @Sendable (TOMLTable, inout Settings) throws(TOMLError) -> Void
}

nonisolated extension Setting {
    /// Every setting but the keys, in the order of the file and of the manual page.
    static let all: [Setting] = [
        Setting(
            name: "theme", defaultText: "\"auto\"", values: "a theme's name, or auto",
            help: "auto follows the terminal's background: default-dark or default-light."
        ) { table, settings throws(TOMLError) in
            let name = try table.string("theme")
            settings.options.themeName = name == "auto" ? nil : name
        },
        Setting(
            name: "model", defaultText: nil, example: "\"hmar-digits\"", values: "a model's name",
            help: "The model loaded at start; the first one installed when not set."
        ) { table, settings throws(TOMLError) in
            settings.options.modelName = try table.string("model")
        },
        choice(
            "images", ["auto"] + PictureMode.allCases.map(\.rawValue),
            "How pictures are shown; auto asks the terminal."
        ) { $0.options.images = PictureMode(rawValue: $1) },
        choice(
            "encoder", ["auto", "own", "libsixel"],
            "Who encodes sixel pictures; auto takes libsixel for still ones."
        ) { $0.options.encoder = EncoderChoice(rawValue: $1) ?? .automatic },
        flag("mouse", true, "Whether the mouse is used; off leaves it to the terminal.") {
            $0.options.isMouseOn = $1
        },
        choice("borders", ["lines", "ascii"], "The characters of frames and marks.") {
            $0.options.usesASCIIBorders = $1 == "ascii"
        },
        choice(
            "charts", ["auto", "braille", "dots"],
            "Curves in braille or plain dots; auto takes dots in mlterm, whose fonts often lack braille."
        ) { $0.hasBraille = $1 == "auto" ? nil : $1 == "braille" },
        choice(
            "motion", ["full", "reduced"],
            "reduced shows a picture when it is done, not its passes, and no moving bars."
        ) { $0.options.isMotionReduced = $1 == "reduced" },
        flag("hints", true, "Whether first steps are shown until they have been taken.") {
            $0.options.showsHints = $1
        },
        flag(
            "accessibility", false,
            "Whether `workbench` opens the line-by-line dialogue, as `--plain` does."
        ) {
            $0.isPlain = $1
            $0.options.isCursorAlwaysVisible = $1
        },
        flag("session", true, "Whether work is kept for the next start and after a crash.") {
            $0.options.keepsSession = $1
        },
        Setting(
            name: "escape-delay", defaultText: "25", values: "10 to 500 milliseconds",
            help: "How long a lone Esc waits for more; longer on slow lines."
        ) { table, settings throws(TOMLError) in
            settings.escapeDelay = Double(try table.int("escape-delay", in: 10...500)) / 1000
        },
        Setting(
            name: "cell-size", defaultText: nil, example: "[10, 20]",
            values: "[width, height] in pixels",
            help: "The size of a cell for terminals that do not tell it."
        ) { table, settings throws(TOMLError) in
            let size = try table.ints("cell-size", in: 2...200)
            guard size.count == 2 else {
                throw table.invalidValue("cell-size", expected: "[width, height], two numbers")
            }
            settings.cellSize = PixelSize(width: size[0], height: size[1])
        },
    ]

    private static func choice(
        _ name: String, _ values: [String], _ help: String,
        _ set: @escaping @Sendable (inout Settings, String) -> Void
    ) -> Setting {
        Setting(
            name: name, defaultText: "\"\(values[0])\"", values: values.joined(separator: ", "),
            help: help
        ) { table, settings throws(TOMLError) in
            let text = try table.string(name)
            guard values.contains(text) else {
                let hint = nearestName(to: text, among: values).map { "; did you mean \"\($0)\"?" }
                throw table.invalidValue(
                    name,
                    expected: "one of \(values.joined(separator: ", ")), not \"\(text)\""
                        + (hint ?? ""))
            }
            set(&settings, text)
        }
    }

    private static func flag(
        _ name: String, _ isOn: Bool, _ help: String,
        _ set: @escaping @Sendable (inout Settings, Bool) -> Void
    ) -> Setting {
        Setting(
            name: name, defaultText: isOn ? "true" : "false", values: "true, false", help: help
        ) { table, settings throws(TOMLError) in set(&settings, try table.bool(name)) }
    }
}
