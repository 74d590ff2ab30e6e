// What the application needs from the rest of the program: models, pictures, masks.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Work with files and models behind closures, so that tests need neither.
///
/// All of it is called on worker threads.
nonisolated public struct Services: Sendable {
    /// The models found, and what was wrong with cards that could not be read.
    public var listModels: @Sendable () -> (entries: [ModelEntry], problems: [String])
    public var loadModel: @Sendable (ModelEntry, Cancellation) throws -> any LoadedModel
    /// Where models can compute, the CPU first, and why there is no GPU.
    public var listDevices: @Sendable () -> (devices: [DeviceEntry], problem: String?)
    /// The device of a name, "cpu" or "cuda:0".
    public var device: @Sendable (String) throws -> any Device
    /// Recipes and trainings; nil where there are none.
    public var trainings: (any TrainingSupervising)?
    /// A picture of the model's size, and what was done to make it fit.
    public var openPicture: @Sendable (_ path: String, _ side: Int) throws -> (RGBImage, String?)
    /// The recipe inside a PNG, and the picture.
    public var openRecipe: @Sendable (_ path: String) throws -> (PictureRecipe, RGBImage)
    public var importMask: @Sendable (_ path: String) throws -> PixelMask
    public var writeMask: @Sendable (PixelMask, _ path: String) throws -> Void
    public var writePicture: @Sendable (RGBImage, PictureRecipe, _ path: String) throws -> Void
    /// Whether a card's model finds symmetries; such models belong to the symmetry pane.
    public var isSymmetryModel: @Sendable (ModelEntry) -> Bool
    public var writeFile: @Sendable ([UInt8], _ path: String) throws -> Void

    public init(
        listModels: @escaping @Sendable () -> (entries: [ModelEntry], problems: [String]),
        loadModel: @escaping @Sendable (ModelEntry, Cancellation) throws -> any LoadedModel,
        listDevices: @escaping @Sendable () -> (devices: [DeviceEntry], problem: String?) = {
            ([DeviceEntry(name: "cpu", title: "CPU")], nil)
        },
        device: @escaping @Sendable (String) throws -> any Device = { _ in CPUDevice.shared },
        trainings: (any TrainingSupervising)? = nil,
        openPicture: @escaping @Sendable (String, Int) throws -> (RGBImage, String?) =
            Services.openPictureFile,
        openRecipe: @escaping @Sendable (String) throws -> (PictureRecipe, RGBImage) = {
            (try PictureRecipe.read(path: $0), try PNG.read(path: $0))
        },
        importMask: @escaping @Sendable (String) throws -> PixelMask = Services.importMaskFile,
        writeMask: @escaping @Sendable (PixelMask, String) throws -> Void = {
            try ImageFile.writeMask($0, to: $1)
        },
        writePicture: @escaping @Sendable (RGBImage, PictureRecipe, String) throws -> Void = {
            try PictureMetadata.write($0, recipe: $1, to: $2)
        },
        isSymmetryModel: @escaping @Sendable (ModelEntry) -> Bool = { _ in false },
        writeFile: @escaping @Sendable ([UInt8], String) throws -> Void = {
            try AtomicWrite.write($0, to: $1)
        }
    ) {
        self.listModels = listModels
        self.loadModel = loadModel
        self.listDevices = listDevices
        self.device = device
        self.trainings = trainings
        self.openPicture = openPicture
        self.openRecipe = openRecipe
        self.importMask = importMask
        self.writeMask = writeMask
        self.writePicture = writePicture
        self.isSymmetryModel = isSymmetryModel
        self.writeFile = writeFile
    }

    /// Reads a PNG or JPEG file, cropped to its middle square and resized.
    public static func openPictureFile(path: String, side: Int) throws -> (RGBImage, String?) {
        let (image, fit) = try ImageFile.read(path: path, side: side)
        return (image, fit.notice)
    }

    public static func importMaskFile(path: String) throws -> PixelMask {
        try ImageFile.readMask(path: path)
    }
}
