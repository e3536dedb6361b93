// Package main prints the records that istiod tells ztunnel of a world: its own ambient index, on a fake client.
//
// It reads worlds, one JSON document a line with `objects` as an API server would return them, and prints for each a
// line: the list of its istio.workload.Address as protojson has them. It runs with PILOT_ENABLE_AMBIENT=true.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"google.golang.org/protobuf/encoding/protojson"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/serviceregistry/ambient"
	"istio.io/istio/pkg/activenotifier"
	"istio.io/istio/pkg/cluster"
	"istio.io/istio/pkg/config/mesh/meshwatcher"
	"istio.io/istio/pkg/config/schema/gvr"
	"istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/kube/kclient/clienttest"
	"istio.io/istio/pkg/kube/krt"
	"istio.io/istio/pkg/kube/multicluster"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/util/sets"
)

const (
	largestWorld  = 64 << 20
	rootNamespace = "istio-system"
	clusterID     = cluster.ID("Kubernetes")
)

var crds = []schema.GroupVersionResource{
	gvr.AuthorizationPolicy, gvr.PeerAuthentication, gvr.KubernetesGateway,
	gvr.GatewayClass, gvr.WorkloadEntry, gvr.ServiceEntry,
}

// quiet is an XDS server that nobody is connected to.
type quiet struct{}

func (quiet) EDSUpdate(model.ShardKey, string, string, []*model.IstioEndpoint)      {}
func (quiet) EDSCacheUpdate(model.ShardKey, string, string, []*model.IstioEndpoint) {}
func (quiet) SvcUpdate(model.ShardKey, string, string, model.Event)                 {}
func (quiet) ConfigUpdate(*model.PushRequest)                                       {}
func (quiet) ProxyUpdate(cluster.ID, string)                                        {}
func (quiet) RemoveShard(model.ShardKey)                                            {}
func (quiet) PruneShard(model.ShardKey, map[string]sets.String)                     {}

// failing ends the program where a helper of Istio's tests would fail a test.
type failing struct{}

func (failing) Fail()                             { panic("failed") }
func (failing) FailNow()                          { panic("failed") }
func (failing) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (failing) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (failing) Log(...any)                        {}
func (failing) Logf(string, ...any)               {}
func (failing) TempDir() string                   { return os.TempDir() }
func (failing) Helper()                           {}
func (failing) Cleanup(func())                    {}
func (failing) Skip(...any)                       {}

func main() {
	options := log.DefaultOptions()
	options.OutputPaths = []string{"stderr"}
	if err := log.Configure(options); err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, largestWorld)
	for lines.Scan() {
		told, err := records(lines.Bytes())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(string(told))
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func records(line []byte) ([]byte, error) {
	objects, err := read(line)
	if err != nil {
		return nil, err
	}
	client := kube.NewFakeClient(objects...)
	defer client.Shutdown()
	stop := make(chan struct{})
	defer close(stop) // what waits for informers to end comes after it
	for _, crd := range crds {
		clienttest.MakeCRD(failing{}, client, crd)
	}
	config := meshwatcher.NewTestWatcher(nil)
	clusters := multicluster.NewController(multicluster.ControllerOptions{
		Client: client, ClusterID: clusterID, SystemNamespace: rootNamespace, MeshConfig: config,
		Debugger: new(krt.DebugHandler),
	})
	if err := clusters.Run(stop); err != nil {
		return nil, err
	}
	index := ambient.New(ambient.Options{
		SystemNamespace: rootNamespace, DomainSuffix: "cluster.local", ClusterID: clusterID, XDSUpdater: quiet{},
		StatusNotifier: activenotifier.New(false), MeshConfig: config, Debugger: new(krt.DebugHandler),
		MultiClusterController: clusters,
	})
	client.RunAndWait(stop)
	go index.Run(stop)
	kube.WaitForCacheSync("records", stop, index.HasSynced)
	return printed(index.All())
}

func read(line []byte) ([]runtime.Object, error) {
	var world struct {
		Objects []json.RawMessage `json:"objects"`
	}
	if err := json.Unmarshal(line, &world); err != nil {
		return nil, err
	}
	objects := make([]runtime.Object, 0, len(world.Objects))
	for _, raw := range world.Objects {
		object, _, err := kube.IstioCodec.UniversalDeserializer().Decode(raw, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", raw, err)
		}
		objects = append(objects, object)
	}
	return objects, nil
}

func printed(all []model.AddressInfo) ([]byte, error) {
	told := make([]json.RawMessage, 0, len(all))
	for _, info := range all {
		record, err := protojson.Marshal(info.Address)
		if err != nil {
			return nil, err
		}
		told = append(told, record)
	}
	return json.Marshal(told)
}
