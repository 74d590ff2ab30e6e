// The data of symmetry recipes.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The training pictures of a symmetry recipe: rotated once, on the host.
struct SymmetryTrainingSet {
    let images: GreyImages
    /// The law they were made by; nil for pictures as they came.
    let law: RotationLaw?
    /// For the file of weights.
    let metadata: [String: String]
}

extension Recipe {
    /// Pictures of `[data]`, 28×28, grey.
    ///
    /// `kind = "rotated-mnist"` rotates digits of the standard files (`name = "fashion-mnist"`: the
    /// other set in that format) by `law`, a published construction, with `+offset` behind it moved by
    /// our offsets; `limit` pictures of a permutation by the recipe's `data_seed`.
    /// `kind = "folder"` takes the pictures of a folder as they are, classes or not.
    /// - Throws: `TOMLError`, `DatasetError`, `FileFormatError`.
    func symmetryTrainingSet() throws -> SymmetryTrainingSet {
        let section = try section(
            "data", keys: ["kind", "folder", "name", "law", "limit", "data_seed"])
        let folder = try section.stringIfPresent("folder").map(context.resolve)
        let limit = try section.intIfPresent("limit", in: 10...(1 << 30))
        switch try section.string("kind") {
        case "rotated-mnist":
            let name = try section.string("name", default: "mnist")
            let lawName = try section.string("law")
            guard let law = RotationLaw.named(lawName) else {
                let known = RotationLaw.all.map(\.name).joined(separator: ", ")
                throw section.invalidValue("law", expected: known + ", or one with +offset")
            }
            let seed = UInt64(try section.int("data_seed", default: 0, in: 0...(1 << 53)))
            let roots = dataRoots(folder: folder)
            let found = try MNIST.locate(
                in: name == "mnist"
                    ? roots.flatMap { [$0, $0 + "/mnist"] } : roots.map { "\($0)/\(name)" } + roots)
            let set = try RotatedImages.digits(
                folder: found, part: .training, law: law, limit: limit, seed: seed)
            return SymmetryTrainingSet(
                images: set.images, law: law,
                metadata: [
                    "law": law.name, "data": name, "data_seed": "\(seed)",
                    "data_limit": "\(set.count)",
                ])
        case "folder":
            guard let root = context.dataFolder ?? folder else {
                throw section.invalidValue("kind", expected: "followed by a folder, or --data")
            }
            let pictures = try ImageFolder(folder: root, side: SteerableEncoder.side)
            return SymmetryTrainingSet(
                images: try GreyImages(pictures, limit: limit), law: nil,
                metadata: ["data": "folder"])
        default:
            throw section.invalidValue("kind", expected: "\"rotated-mnist\" or \"folder\"")
        }
    }

    /// h, E, pooling and disc mask of an encoder in a table.
    func encoder(_ section: TOMLTable) throws -> SteerableEncoderConfiguration {
        let pooling = try section.string("pooling", default: EncoderPooling.none.rawValue)
        guard let known = EncoderPooling(rawValue: pooling) else {
            let all = EncoderPooling.allCases.map(\.rawValue).joined(separator: ", ")
            throw section.invalidValue("pooling", expected: all)
        }
        return SteerableEncoderConfiguration(
            hiddenWidth: try section.int("hidden_width", in: 1...512),
            embeddingWidth: try section.int("embedding_width", in: 1...4096), pooling: known,
            hasDiscMask: try section.bool("disc_mask", default: false))
    }
}

extension GreyImages {
    /// The pictures of any data set, grey by BT.601's weights; all of one square size.
    ///
    /// - Throws: errors of the pictures; `DatasetError.sizeMismatch`.
    init(_ dataset: any Dataset, limit: Int? = nil) throws {
        let count = min(limit ?? dataset.count, dataset.count)
        var pixels: [Float] = []
        var side = 0
        for index in 0..<count {
            let image = try dataset.image(at: index)
            if index == 0 { side = image.width }
            guard image.width == side, image.height == side else {
                throw DatasetError.sizeMismatch(
                    name: dataset.name, index: index, expected: "\(side)×\(side)",
                    found: "\(image.width)×\(image.height)")
            }
            for i in 0..<(side * side) {
                let (r, g, b) = (
                    Float(image.pixels[3 * i]), Float(image.pixels[3 * i + 1]),
                    Float(image.pixels[3 * i + 2])
                )
                pixels.append((0.299 * r + 0.587 * g + 0.114 * b) / 255)
            }
        }
        self.init(side: side, pixels: pixels, labels: (0..<count).map { dataset.label(at: $0) })
    }
}
