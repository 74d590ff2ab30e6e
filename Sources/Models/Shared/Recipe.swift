// Reading what the recipes of the image systems share.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// The tables that every image recipe has: `[data]`, `[optimizer]` and the keys at the top.
struct Recipe {
    let table: TOMLTable
    let context: TrainingContext

    /// Checks the top-level keys.
    ///
    /// - Throws: `TOMLError` for keys that are not known.
    init(_ table: TOMLTable, context: TrainingContext, keys: [String]) throws {
        self.table = table
        self.context = context
        try table.requireOnly(keys: RecipeKeys.common + ["model", "optimizer", "loss"] + keys)
    }

    var seed: UInt64 { get throws { UInt64(try table.int("seed", default: 0, in: 0...(1 << 53))) } }
    var steps: Int { get throws { try table.int("steps", in: 1...(1 << 30)) } }
    var batch: Int { get throws { try table.int("batch_size", in: 1...4096) } }

    /// Steps between readings of figures from the device.
    var measureInterval: Int {
        get throws { try table.int("measure_every", default: 1, in: 1...1_000_000) }
    }

    /// A sub-table, empty when it is absent, holding no other keys than these.
    func section(_ name: String, keys: [String]) throws -> TOMLTable {
        let section = try table.tableIfPresent(name) ?? TOMLTable(parsing: "")
        try section.requireOnly(keys: keys)
        return section
    }

    func optimizer() throws -> OptimizerConfiguration {
        let section = try section(
            "optimizer",
            keys: [
                "learning_rate", "warm_up_steps", "weight_decay", "beta1", "beta2", "clip_norm",
                "ema_decay", "floor", "max_minutes", "decay", "hold",
            ])
        let steps = try steps
        var configuration = OptimizerConfiguration(
            learningRate: Float(try section.double("learning_rate", in: 1e-8...1)), steps: steps,
            warmUpSteps: try section.int("warm_up_steps", default: 0, in: 0...steps),
            floor: Float(try section.double("floor", default: 0.1, in: 0...1)),
            weightDecay: Float(try section.double("weight_decay", default: 0.05, in: 0...10)),
            beta1: Float(try section.double("beta1", default: 0.9, in: 0...0.9999)),
            beta2: Float(try section.double("beta2", default: 0.95, in: 0...0.999999)),
            clipNorm: Float(try section.double("clip_norm", default: 2, in: 1e-6...1e6)),
            averageDecay: Float(try section.double("ema_decay", default: 0.999, in: 0...0.999999)),
            maxMinutes: try context.maxMinutes
                ?? section.doubleIfPresent("max_minutes", in: 0.001...100_000))
        let decay = try section.string("decay", default: configuration.decay.rawValue)
        guard let known = LearningRateSchedule.Decay(rawValue: decay) else {
            let all = LearningRateSchedule.Decay.allCases.map(\.rawValue)
            throw section.invalidValue("decay", expected: all.joined(separator: ", "))
        }
        configuration.decay = known
        configuration.hold = Float(
            try section.double("hold", default: Double(configuration.hold), in: 0...1))
        return configuration
    }

    /// The pictures of `[data]`: what is trained on and what is held out.
    ///
    /// `kind = "mnist"` reads the standard files; `kind = "folder"` reads class folders under
    /// `train` and `test`, or the folder itself without held-out pictures; `kind = "archive"` reads a
    /// ``PictureArchive``, its parts named by `train` and `held_out`, or with every
    /// `held_out_models`-th model held out whole.
    /// - Throws: `TOMLError`, `DatasetError`, `FileFormatError`.
    func pictures(imageSize: Int) throws -> (training: any Dataset, heldOut: (any Dataset)?) {
        let section = try section(
            "data",
            keys: ["kind", "folder", "name", "train", "held_out", "held_out_models", "limit"])
        let folder = try section.stringIfPresent("folder").map(context.resolve)
        let roots = context.dataFolder.map { [$0] } ?? [folder].compactMap { $0 } + standardFolders
        switch try section.string("kind") {
        case "archive":
            let name = try section.stringIfPresent("name")
            let found = try PictureArchive.locate(
                name: name, in: roots.flatMap { [$0, $0 + "/objects"] })
            let interval = try section.intIfPresent("held_out_models", in: 2...1000)
            let splits = try [
                section.string("train", default: "train"),
                section.string("held_out", default: "val"),
            ]
            let parts = try PictureArchive.read(
                archive: found.archive, index: found.index,
                parting: interval.map { .models(every: $0) } ?? .splits(splits), side: imageSize,
                limit: try section.intIfPresent("limit", in: 1...(1 << 30)))
            return (parts[0], parts[1])
        case "mnist":
            let found = try MNIST.locate(in: roots.flatMap { [$0, $0 + "/mnist"] })
            return (
                try MNIST(folder: found, part: .training), try MNIST(folder: found, part: .test)
            )
        case "folder":
            guard let root = context.dataFolder ?? folder else {
                throw section.invalidValue("kind", expected: "followed by a folder, or --data")
            }
            let isSplit = FileManager.default.fileExists(atPath: root + "/train")
            guard isSplit else { return (try ImageFolder(folder: root, side: imageSize), nil) }
            return (
                try ImageFolder(folder: root + "/train", side: imageSize),
                try? ImageFolder(folder: root + "/test", side: imageSize)
            )
        default:
            throw section.invalidValue("kind", expected: "\"mnist\", \"folder\" or \"archive\"")
        }
    }

    /// Where data are looked for: the folder given by hand, or the recipe's and the standard ones.
    func dataRoots(folder: String?) -> [String] {
        context.dataFolder.map { [$0] } ?? [folder].compactMap { $0 } + standardFolders
    }

    private var standardFolders: [String] {
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        return ["data", home + "/.local/share/workbench/data"]
    }

    /// A file that trainings read beside the pictures: at its path, or in the data folders, their
    /// parents, and the folder of its kind in each.
    ///
    /// - Throws: `DatasetError.notFound` with the places looked in.
    func dataFile(_ name: String, folder: String) throws -> String {
        let direct = context.resolve(name)
        if FileManager.default.fileExists(atPath: direct) { return direct }
        let given = context.dataFolder.map { [$0, $0 + "/.."] } ?? []
        let places = (given + standardFolders).flatMap { [$0, "\($0)/\(folder)"] }
        guard
            let place = places.first(where: {
                FileManager.default.fileExists(atPath: "\($0)/\(name)")
            })
        else { throw DatasetError.notFound(name: name, files: [name], places: places) }
        return "\(place)/\(name)"
    }

    /// The changes of training pictures that `[augmentation]` asks for.
    ///
    /// - Throws: `TOMLError`, also for a class that the data do not have.
    func augmentation(
        classes: [String], default fallback: PictureAugmentation = .none
    ) throws -> PictureAugmentation {
        let section = try section(
            "augmentation", keys: ["flip", "unflipped", "shift", "hue", "brightness"])
        let unflipped = try section["unflipped"] == nil ? [] : section.strings("unflipped")
        let labels = try unflipped.map { name in
            guard let label = classes.firstIndex(of: name) else {
                throw section.invalidValue(
                    "unflipped", expected: "names of classes of the data; \"\(name)\" is none")
            }
            return label
        }
        return PictureAugmentation(
            flips: try section.bool("flip", default: fallback.flips), unflippedLabels: Set(labels),
            shift: try section.int("shift", default: fallback.shift, in: 0...64),
            hue: Float(try section.double("hue", default: Double(fallback.hue), in: 0...180)),
            brightness: Float(
                try section.double(
                    "brightness", default: Double(fallback.brightness), in: 0...0.9)))
    }

    /// An earlier stage's weights.
    ///
    /// - Throws: `TOMLError`, `FileFormatError`.
    func archive(_ key: String) throws -> TensorArchive {
        try TensorArchive.open(path: context.resolve(try table.string(key)))
    }
}
