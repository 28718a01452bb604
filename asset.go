package bulwark

// AssetID names an asset across runs: "image:<config digest>", "layer:<diffID>",
// "host:<machine>", "dir:<name>", "file:<name>".
type AssetID string

// Asset is a thing that has packages and findings.
type Asset struct {
	ID     AssetID           `json:"id"`
	Kind   string            `json:"kind"` // image, layer, host, rootfs, dir, sbom, ...
	Name   string            `json:"name"` // what a person calls it: the reference as given
	Parent AssetID           `json:"parent,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	// Release is the distribution of its root file system, as the merged inventory
	// has it; nil when there is none. The engine sets it.
	Release *Release `json:"release,omitempty"`
}

// LayerID is the asset id of the layer with that diffID.
func LayerID(diffID string) AssetID { return AssetID("layer:" + diffID) }
